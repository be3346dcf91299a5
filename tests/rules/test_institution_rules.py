from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.institutions.annex1 import INSTITUTIONS, PROVINCES
from server.institutions.rules import (
    MAJORS,
    Level,
    NotQualified,
    Qualification,
    QualificationKind,
    QualificationStatus,
    kind_for,
    levels_of,
    qualified,
    require_qualified,
)

CENTRE = QualificationKind.TRAINING_CENTRE
BASE = QualificationKind.TRAINING_BASE

days = st.dates(date(2015, 1, 1), date(2040, 1, 1))
levels = st.sampled_from(Level)
majors = st.sampled_from(sorted(MAJORS))


@st.composite
def qualifications(draw: st.DrawFn) -> Qualification:
    begins = draw(days)
    ends = draw(st.none() | st.integers(0, 2000).map(lambda length: begins + timedelta(days=length)))
    return Qualification(
        kind=draw(st.sampled_from(QualificationKind)),
        majors=tuple(draw(st.sets(majors))),
        valid_from=begins,
        valid_to=ends,
        status=draw(st.sampled_from(QualificationStatus)),
    )


# ---- levels and categories


@pytest.mark.parametrize(
    ("level", "code", "title", "training"),
    [
        (Level.BACKBONE, "G", "骨干教师", "工学一体化骨干教师培训"),
        (Level.ONE, "1", "一级", "工学一体化一级教师培训"),
        (Level.TWO, "2", "二级", "工学一体化二级教师培训"),
        (Level.THREE, "3", "三级", "工学一体化三级教师培训"),
    ],
)
def test_a_level_has_its_code_and_its_chinese_names(
    level: Level, code: str, title: str, training: str
) -> None:
    assert (level, level.label, level.training) == (code, title, training)


def test_the_fifteen_categories_are_numbered_and_those_from_07_on_are_to_be_confirmed() -> None:
    assert list(MAJORS) == [f"{place:02}" for place in range(1, 16)]
    assert [code for code, major in MAJORS.items() if not major.confirmed] == list(MAJORS)[6:]
    assert {major.code: major for major in MAJORS.values()} == MAJORS
    assert (MAJORS["01"].name, MAJORS["03"].name, MAJORS["15"].name) == ("机械类", "信息类", "其他")


@given(levels)
def test_each_level_belongs_to_exactly_one_kind_of_institution(level: Level) -> None:
    assert [kind for kind in QualificationKind if level in levels_of(kind)] == [kind_for(level)]


def test_kinds_and_states_have_their_chinese_names() -> None:
    assert (CENTRE.label, BASE.label) == ("师资研修中心", "教师培训基地")
    assert [status.label for status in QualificationStatus] == ["有效", "暂停", "已取消"]


# ---- qualifications


def base(**changes: object) -> Qualification:
    fields = {"kind": BASE, "majors": ("03",), "valid_from": date(2022, 1, 1), "valid_to": date(2024, 12, 31)}
    return Qualification.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("on", "valid"),
    [
        (date(2021, 12, 31), False),
        (date(2022, 1, 1), True),
        (date(2024, 12, 31), True),
        (date(2025, 1, 1), False),
    ],
)
def test_a_qualification_counts_on_its_first_and_last_day_and_not_beside_them(on: date, valid: bool) -> None:
    assert qualified([base()], Level.THREE, "03", on) is valid


def test_a_qualification_without_an_end_lasts() -> None:
    assert qualified([base(valid_to=None)], Level.TWO, "03", date(2099, 1, 1))


@pytest.mark.parametrize("status", [QualificationStatus.SUSPENDED, QualificationStatus.WITHDRAWN])
def test_a_suspended_or_withdrawn_qualification_serves_nobody(status: QualificationStatus) -> None:
    assert not qualified([base(status=status)], Level.THREE, "03", date(2023, 1, 1))


@given(st.lists(qualifications(), max_size=4), levels, majors, days)
def test_one_covering_qualification_is_enough_and_needed(
    held: list[Qualification], level: Level, major: str, on: date
) -> None:
    covering = [
        each
        for each in held
        if level in levels_of(each.kind)
        and major in each.majors
        and each.status == "ACTIVE"
        and each.valid_from <= on <= (each.valid_to or date.max)
    ]
    assert qualified(held, level, major, on) is bool(covering)
    if covering:
        require_qualified(held, level, major, on)
    else:
        with pytest.raises(NotQualified) as refusal:
            require_qualified(held, level, major, on)
        assert kind_for(level).label in refusal.value.detail


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ([], "没有教师培训基地资格"),
        ([base(kind=CENTRE)], "没有教师培训基地资格"),
        ([base(majors=("01",))], "未获批“信息类”专业大类"),
        ([base(status=QualificationStatus.SUSPENDED)], "状态为“暂停”"),
        ([base(status=QualificationStatus.WITHDRAWN)], "状态为“已取消”"),
        ([base(valid_to=date(2022, 12, 31))], "有效期为2022-01-01至2022-12-31，不含2023-06-01"),
        ([base(valid_from=date(2024, 1, 1), valid_to=None)], "有效期为2024-01-01至长期，不含2023-06-01"),
    ],
)
def test_a_refusal_says_what_is_missing(held: list[Qualification], words: str) -> None:
    with pytest.raises(NotQualified) as refusal:
        require_qualified(held, Level.THREE, "03", date(2023, 6, 1))
    assert words in refusal.value.detail
    assert refusal.value.status == 403


@pytest.mark.parametrize("wrong", [{"majors": ("16",)}, {"valid_to": date(2021, 12, 31)}])
def test_an_unknown_category_or_an_end_before_the_beginning_is_no_qualification(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        base(**wrong)


# ---- annex 1


def test_annex_1_lists_51_institutions_in_30_provinces() -> None:
    assert len(INSTITUTIONS) == 51
    assert len(PROVINCES) == 30


def test_the_institution_codes_run_from_001_to_051_and_the_names_are_unique() -> None:
    assert [institution.code for institution in INSTITUTIONS] == [f"{place:03}" for place in range(1, 52)]
    assert len({institution.name for institution in INSTITUTIONS}) == 51
    assert not any("★" in institution.name for institution in INSTITUTIONS)


def test_the_provinces_are_unique_and_each_has_an_institution() -> None:
    assert len({province.name for province in PROVINCES}) == 30
    codes = [province.code for province in PROVINCES]
    assert codes == sorted(set(codes))
    assert {institution.province_code for institution in INSTITUTIONS} == set(codes)
    assert "31" not in codes  # 上海 is not in the annex


def test_four_institutions_carry_the_star() -> None:
    starred = {institution.code for institution in INSTITUTIONS if institution.star}
    assert starred == {"002", "005", "017", "033"}
    assert starred == {institution.code for institution in INSTITUTIONS if institution.kind is CENTRE}


@pytest.mark.parametrize(
    ("code", "name", "province_code", "province"),
    [
        ("001", "北京市工贸技师学院", "11", "北京"),
        ("002", "北京市工业技师学院", "11", "北京"),
        ("005", "天津职业技术师范大学", "12", "天津"),
        ("009", "邢台技师学院", "13", "河北"),
        ("012", "呼伦贝尔技师学院", "15", "内蒙古"),
        ("016", "中国一重技师学院", "23", "黑龙江"),
        ("017", "江苏省常州技师学院", "32", "江苏"),
        ("033", "广州市工贸技师学院", "44", "广东"),
        ("036", "广东省城市技师学院", "44", "广东"),
        ("045", "林芝市高级技工学校", "54", "西藏"),
        ("051", "新疆经济贸易技师学院", "65", "新疆"),
    ],
)
def test_spot_checks_of_annex_1(code: str, name: str, province_code: str, province: str) -> None:
    listed = next(institution for institution in INSTITUTIONS if institution.code == code)
    assert (listed.name, listed.province_code) == (name, province_code)
    assert next(each.name for each in PROVINCES if each.code == province_code) == province


def test_the_provinces_hold_as_many_institutions_as_the_annex_lists() -> None:
    counts = {province.name: 0 for province in PROVINCES}
    names = {province.code: province.name for province in PROVINCES}
    for institution in INSTITUTIONS:
        counts[names[institution.province_code]] += 1
    several = {
        "北京": 4,
        "天津": 3,
        "河北": 2,
        "山西": 2,
        "黑龙江": 2,
        "江苏": 3,
        "浙江": 3,
        "山东": 2,
        "河南": 3,
    }
    several |= {"广东": 4, "广西": 2, "四川": 2, "陕西": 2}
    assert counts == dict.fromkeys(counts, 1) | several
