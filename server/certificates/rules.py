"""The codes of a certificate and who may get one (articles 16 and 17 of the guide).

Both codes end in an order that is taken without gaps from a sequence. A sequence is named by all that stands before the order,
so two sequences can never produce the same code:

- 证书序列号: one order for the whole life of an institution, 1 to SERIAL_LAST;
- 证书编号: one order for all classes of an institution that share month and level, 1 to NUMBER_LAST.

A code carries no check digit: a well-formed code says nothing about whether the certificate exists.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from server.institutions.rules import Level
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.folding import bare_number

SERIAL_LAST = 99_999
NUMBER_LAST = 999

_SERIAL = re.compile(r"([0-9]{2})([0-9]{3})([0-9]{5})")
_NUMBER_BEGUN = re.compile(r"[0-9]{5,11}(?:[123G][0-9]{0,3})?")
_NUMBER = re.compile(r"([0-9]{2})([0-9]{3})([0-9]{4}(?:0[1-9]|1[0-2]))([123G])([0-9]{3})")


class SerialInvalid(Invalid):
    slug = "certificate-serial-invalid"
    title = "证书序列号有误"
    default_detail = "证书序列号为10位数字，印在证书左下角，请核对后重新填写。"


class NumberInvalid(Invalid):
    slug = "certificate-number-invalid"
    title = "证书编号有误"
    default_detail = (
        "证书编号共15位，印在证书正文下方中间，第12位为1、2、3或G，其余为数字，请核对后重新填写。"
    )


class NumberDiffers(Invalid):
    slug = "certificate-number-differs"
    title = "证书编号不一致"


def check_typed(typed: str, number: str) -> None:
    """Raises NumberDiffers: what is revoked for good is named by who revokes it, and not by a browser alone."""
    if bare_number(typed) != number:
        raise NumberDiffers(fields=[FieldError("typed", f"请输入这张证书的编号“{number}”以确认。")])


class TrainingNotOver(Conflict):
    slug = "training-not-over"
    title = "培训尚未结束"


class SchemeNotApproved(Conflict):
    slug = "scheme-not-approved"
    title = "培训方案还没有通过审核"
    default_detail = "本班的培训方案还没有报省级管理部门审核通过（指南第四条（三）），不能核发证书。请先在“培训方案”中完成报备。"


class SerialParts(NamedTuple):
    """`serial(*parts)` gives the serial back."""

    province_code: str
    institution_code: str
    order: int


class NumberParts(NamedTuple):
    """`number(*parts)` gives the number back."""

    province_code: str
    institution_code: str
    year_month: str
    level: Level
    order: int


def serial(province_code: str, institution_code: str, order: int) -> str:
    """证书序列号, 10 digits: province 2, institution 3, order 5 (article 17, 1).

    Raises SerialInvalid if a part does not fit; an order comes from the sequence `serial_sequence`, 1 to SERIAL_LAST.
    """
    text = f"{province_code}{institution_code}{order:05}"
    if parse_serial(text) != (province_code, institution_code, order):
        raise SerialInvalid
    return text


def number(province_code: str, institution_code: str, year_month: str, level: Level, order: int) -> str:
    """证书编号, 15 characters: province 2, institution 3, year and month 6, level 1, order 3 (article 17, 2).

    Raises NumberInvalid if a part does not fit; an order comes from the sequence `number_sequence`, 1 to NUMBER_LAST.
    """
    text = f"{province_code}{institution_code}{year_month}{level}{order:03}"
    if parse_number(text) != (province_code, institution_code, year_month, level, order):
        raise NumberInvalid
    return text


def year_month(class_begins: date) -> str:
    """培训班年月代码 (article 17, 2): 202206. The guide does not say which day of a class counts; we take its first."""
    return f"{class_begins:%Y%m}"


def serial_sequence(province_code: str, institution_code: str) -> str:
    return f"certificate-serial:{province_code}{institution_code}"


def number_sequence(province_code: str, institution_code: str, year_month: str, level: Level) -> str:
    return f"certificate-number:{province_code}{institution_code}{year_month}{level}"


def number_prefix(province_code: str, institution_code: str) -> str:
    """What the names of all number sequences of an institution begin with."""
    return f"certificate-number:{province_code}{institution_code}"


def require_scheme(application_id: str | None, scheme_version: int | None) -> None:
    """A class that was applied for is taught by an approved scheme (article 4.3). Raises SchemeNotApproved."""
    if application_id is not None and scheme_version is None:
        raise SchemeNotApproved()


def require_over(ends_on: date, today: date) -> None:
    """Raises TrainingNotOver before the last day of a class: a certificate states 培训时间 as a fact (article 17, 1)."""
    if today < ends_on:
        raise TrainingNotOver(f"培训班于 {ends_on} 结束，从这一天起才能核发证书。")


class HoursNotHeld(Conflict):
    slug = "hours-not-held"
    title = "课时没有完成"


def require_held(stated: int, held: int) -> None:
    """Raises HoursNotHeld when a certificate would state more hours than the ended sessions of its class (articles 4.6, 17)."""
    if held < stated:
        raise HoursNotHeld(
            f"证书写明“共计{stated}课时”，本班已结束的课次只有 {held} 课时，不能核发。"
            "请核对课次；按旧规则公布的班级，已核发的证书继续有效，不再新发。"
        )


class DaysNotTrue(Conflict):
    slug = "training-days-not-true"
    title = "培训时间与上课日期不符"


def require_spanned(first: date, last: date, held: tuple[date, date] | None) -> None:
    """Raises DaysNotTrue unless 培训时间 from `first` to `last` spans `held`, the first and the last day on which the class was taught
    (article 17, 1)."""
    if held is not None and not first <= held[0] <= held[1] <= last:
        raise DaysNotTrue(
            f"本班日期为 {first} 至 {last}，实际上课是 {held[0]} 至 {held[1]}，证书不能这样写明培训时间。"
            "请申请重新开放成绩，更正日期后重新公布。"
        )


def last_day(ends_on: date, held: tuple[date, date] | None, *, put_off: bool) -> date:
    """The last day of 培训时间 on a certificate: that of the class, and where a 暂停 or 延期 has given it other days no later than
    training was held."""
    return min(ends_on, held[1]) if put_off and held is not None else ends_on


def parse_serial(text: str) -> SerialParts:
    """The parts of a serial. Raises SerialInvalid; see `bare_number` for what people type."""
    match = _SERIAL.fullmatch(text)
    if match is None or int(match[3]) == 0:
        raise SerialInvalid
    return SerialParts(match[1], match[2], int(match[3]))


def parse_number(text: str) -> NumberParts:
    """The parts of a number. Raises NumberInvalid; see `bare_number` for what people type."""
    match = _NUMBER.fullmatch(text)
    if match is None or int(match[5]) == 0:
        raise NumberInvalid
    return NumberParts(match[1], match[2], match[3], Level(match[4]), int(match[5]))


NUMBER_BEGINS = (5, 9, 11)
"""How much of a number finds it: the institution's, its year, its month."""


def number_begun(text: str) -> str:
    """The longest of these beginnings that the beginning of a number has; empty for what is none."""
    if not _NUMBER_BEGUN.fullmatch(text):
        return ""
    return text[: max(length for length in NUMBER_BEGINS if length <= len(text))]


def is_serial(text: str) -> bool:
    try:
        parse_serial(text)
    except SerialInvalid:
        return False
    return True


def is_number(text: str) -> bool:
    try:
        parse_number(text)
    except NumberInvalid:
        return False
    return True


class SurveyNotYetOpened(Conflict):
    slug = "survey-not-yet-opened"
    title = "还没有开展满意度评价"
    default_detail = "核发证书以前须开展满意度评价（指南第四条（七））。评价在最后一次课结束时自动开放。"


def require_survey(*, required: bool, opened: bool) -> None:
    """No certificate of a class whose trainees were never asked (policy `survey_required`). Raises SurveyNotYetOpened."""
    if required and not opened:
        raise SurveyNotYetOpened()


class Asked(NamedTuple):
    """One thing that is asked of somebody before a certificate, and how it stands."""

    met: bool
    title: str
    detail: str = ""


def asked(
    *,
    passed: bool | None,
    attended_enough: bool,
    survey_done: bool,
    survey_required: bool,
    arrived: bool | None = None,
    hours: str = "",
    total: str = "",
    lacking: str = "",
) -> tuple[Asked, ...]:
    """All that is asked of somebody, each with how it stands (article 16; attendance and survey are policy).

    `arrived` is None where the class asks for no 报到; nobody arrives without the pledge (article 10). `passed` is None as long as the
    result of the assessment is not released. `hours` and `total` are how they stand, in words. `lacking`: what of the name has no font.
    """
    found = []
    if arrived is not None:
        found.append(Asked(arrived, "已报到、签署承诺书" if arrived else "没有报到，未签署承诺书"))
    if passed is None:
        found.append(Asked(False, "考核成绩尚未发布"))
    else:
        found.append(Asked(passed, "考核合格" if passed else "未通过考核", total))
        found.append(Asked(attended_enough, "出勤达标" if attended_enough else "出勤不足", hours))
    if survey_required:
        found.append(Asked(survey_done, "已完成满意度评价" if survey_done else "未完成满意度评价"))
    if lacking:
        found.append(Asked(False, f"姓名中的“{lacking}”无法打印", "请联系平台管理员安装含有该字的字体"))
    return tuple(found)


def obstacles(found: Iterable[Asked]) -> tuple[str, ...]:
    """What is missing, in Chinese."""
    return tuple(one.title for one in found if not one.met)


def check_query(name: str | None, id_number: str | None, certificate_number: str | None) -> None:
    """Raises Invalid unless exactly two are given (article 18: 姓名+身份证号、姓名+证书编号、身份证号+证书编号)."""
    if sum(bool(given) for given in (name, id_number, certificate_number)) != 2:
        raise Invalid("请在姓名、身份证号、证书编号中填写两项，恰好两项。")
