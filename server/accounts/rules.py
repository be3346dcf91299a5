"""Who a person is: ID numbers, names, phones, how they are masked, and how well an identity was checked.

Two steps, always in this order: `normalise_…` (of numbers: kernel/numbers.py) repairs what can be repaired safely (it never raises, and
a second pass changes nothing), `check_…` refuses the rest with words that say what to do. A message never repeats an ID number.

Sources: GB 11643-1999 公民身份号码 (the check character is ISO/IEC 7064 MOD 11-2); 港澳台居民居住证申领发放办法 (国办发〔2018〕81号)
for 81, 82 and 83; 新版外国人永久居留身份证 (国家移民管理局, 2023-12) for 9. A checksum catches typing errors; it proves nothing
about identity, which is what `Evidence` is for (article 4.7: 参训教师全实名).
"""

import re
import unicodedata
from datetime import date

from stdnum.iso7064 import mod_11_2

from server.accounts.common_passwords import is_common
from server.kernel.errors import FieldError, Invalid
from server.kernel.ideographs import shown, unified
from server.kernel.titled import Titled

ID_NUMBER_LENGTH = 18
PASSWORD_SHORTEST = 10
PASSWORD_LONGEST = 128
NAME_SHORTEST = 2
NAME_LONGEST = 30
LATIN_NAME_LONGEST = 60


class IdNumberInvalid(Invalid):
    """`extra["reason"]`: length, characters, region, born, check-character or lost-digits."""

    slug = "id-number-invalid"
    title = "身份证号有误"
    default_detail = "请核对 18 位身份证号后重新填写。"

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(detail, fields=[FieldError("id_number", detail)], reason=reason)


class IdNumberLostDigits(IdNumberInvalid):
    """A spreadsheet made a floating-point number of it: 15 significant digits are left, the others are gone for good."""

    title = "身份证号丢失了末尾几位"

    def __init__(self) -> None:
        super().__init__(
            "身份证号被表格当作数字，末尾几位已经丢失，无法恢复。"
            "请先把这一列的单元格格式设为“文本”，再对照证件重新填写 18 位号码。",
            "lost-digits",
        )


class NameInvalid(Invalid):
    slug = "name-invalid"
    title = "姓名有误"
    default_detail = "请按证件填写姓名。"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, fields=[FieldError("name", detail)])


class PhoneInvalid(Invalid):
    slug = "phone-invalid"
    title = "手机号有误"
    default_detail = "手机号应为 11 位数字，以 1 开头，请核对。"

    def __init__(self, detail: str = "") -> None:
        words = detail or self.default_detail
        super().__init__(words, fields=[FieldError("phone", words)])


class PasswordTooWeak(Invalid):
    slug = "password-too-weak"
    title = "密码过于简单"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, fields=[FieldError("new", detail)])


class Evidence(Titled):
    """How well an identity was checked, weakest first. Never claim more than was checked."""

    FORMAT_OK = "format_ok", "仅格式正确"
    """The number is well formed."""
    ROSTER_MATCHED = "roster_matched", "与名册一致"
    """An institution listed this name with this number."""
    STAFF_CONFIRMED = "staff_confirmed", "已实名认证（工作人员核对证件）"
    """Staff of the institution saw the card."""
    PROVIDER_VERIFIED = "provider_verified", "已实名认证（认证服务核验）"
    """An identity provider answered that they match."""

    def reaches(self, needed: "Evidence") -> bool:
        """Whether this is at least as strong. (`<` between members would compare their letters.)"""
        levels = list(Evidence)
        return levels.index(self) >= levels.index(needed)

    @property
    def is_real_name(self) -> bool:
        """Whether it may be called 已实名认证."""
        return self.reaches(Evidence.STAFF_CONFIRMED)


# ---- Characters

_DOTS = dict.fromkeys((0x2022, 0x2027, 0x2219, 0x22C5, 0x02D9, 0x0387, 0x30FB, 0xFF0E, 0xFF65), "·")
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\ufa0e-\ufa29\U00020000-\U0003347f"
"""The unified ideographs of Unicode 17 (extensions A to J). Compatibility ideographs become unified ones in NFC."""
_LATIN = "A-Za-zÀ-ÖØ-öø-\u024f\u1e00-\u1eff"

_HAN_NAME = re.compile(f"[{_HAN}]+(?:·[{_HAN}]+)*")
_LATIN_NAME = re.compile(f"[{_LATIN}]+(?:(?:[ ·'-]|, |\\.-?|\\. )[{_LATIN}]+)*\\.?")
_NOT_IN_A_NAME = re.compile(f"[^{_HAN}{_LATIN} ·'.,-]")
_SPACE_IN_NAME = re.compile(f"(?<=[{_HAN}·]) (?=[{_HAN}·])|(?<=·) | (?=·)")
_DOT_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}]) ?[.] ?(?=[{_HAN}])")


def without_invisible(text: str) -> str:
    """`text` without what nobody sees: controls, zero-width characters, byte order and directional marks.

    White space of any kind (also full-width, no-break and line ends) becomes one space; the ends are trimmed.
    """
    visible = (c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    return " ".join("".join(visible).split())


# ---- ID numbers

_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71".split()
)
_RESIDENCE_PERMITS = frozenset({"810000", "820000", "830000"})
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?1[0-9]", re.IGNORECASE)
_LONG_FLOAT = re.compile(r"[0-9]{16,}\.[0-9]*")


def looks_rounded(number: str) -> bool:
    """Whether a spreadsheet has turned the number into a floating-point number: 1.10101E+17, or zeros after 15 digits.

    One genuine number in some 1,200 ends in 000 too; its check character is right, and it is not called rounded.
    """
    if _SCIENTIFIC.fullmatch(number) or _LONG_FLOAT.fullmatch(number):
        return True
    return _is_well_formed(number) and number.endswith("000") and not mod_11_2.is_valid(number)


def check_id_number(number: str, *, today: date) -> None:
    """Raises IdNumberInvalid, naming the first thing that is wrong, unless `number` (normalised) is one of GB 11643-1999.

    18 characters; a province, or 81/82/83 (港澳台居民居住证), or 9 (外国人永久居留身份证); a real date of birth from 1900 to
    `today`; the check character. Raises IdNumberLostDigits for what a spreadsheet has rounded.
    """
    if looks_rounded(number):
        raise IdNumberLostDigits
    _check_form(number)
    _check_region(number)
    _check_born(number, today)
    if not mod_11_2.is_valid(number):
        raise IdNumberInvalid(
            "身份证号的末位校验码不对，多半有一位写错或两位写反，请对照证件逐位核对。", "check-character"
        )


def _check_form(number: str) -> None:
    if not number:
        raise IdNumberInvalid("请填写身份证号。", "length")
    if len(number) == 15:
        raise IdNumberInvalid("15 位的旧证件号码已停用，请填写现行证件上的 18 位号码。", "length")
    if len(number) != ID_NUMBER_LENGTH:
        raise IdNumberInvalid(f"身份证号应为 18 位，现在是 {len(number)} 位，请核对。", "length")
    if not _is_well_formed(number):
        place, wrong = next(
            (i, c)
            for i, c in enumerate(number, 1)
            if not (_is_digit(c) or (c == "X" and i == ID_NUMBER_LENGTH))
        )
        raise IdNumberInvalid(
            f"身份证号只能是数字，最后一位可以是 X；第 {place} 位不对，是{shown(wrong)}，请核对。",
            "characters",
        )


def _is_well_formed(number: str) -> bool:
    return (
        len(number) == ID_NUMBER_LENGTH
        and all(map(_is_digit, number[:-1]))
        and (_is_digit(number[-1]) or number[-1] == "X")
    )


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def _check_region(number: str) -> None:
    known = number[:2] in _PROVINCES or number[:6] in _RESIDENCE_PERMITS or number[0] == "9"
    if not known:
        raise IdNumberInvalid("身份证号的前 6 位不是有效的行政区划代码，请核对。", "region")


def _check_born(number: str, today: date) -> None:
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    try:
        born = date(year, month, day)
    except ValueError:
        raise IdNumberInvalid("身份证号第 7 至 14 位的出生日期不存在，请核对。", "born") from None
    if born > today:
        raise IdNumberInvalid("身份证号第 7 至 14 位的出生日期在今天之后，请核对。", "born")
    if born.year < 1900:
        raise IdNumberInvalid("身份证号第 7 至 14 位的出生日期早于 1900 年，请核对。", "born")


def with_check_character(body: str) -> str:
    """The 17 digits of `body` and their check character (ISO/IEC 7064 MOD 11-2)."""
    return body + mod_11_2.calc_check_digit(body)


# ---- Names


def normalise_name(raw: str) -> str:
    """`raw` in one spelling: NFKC and no radicals, one kind of dot (· U+00B7), no space inside a Chinese name, single spaces elsewhere.

    The dots of names (．•・･‧ …) are unified, and a full stop between two Chinese characters is such a dot.
    """
    visible = without_invisible(_VARIATION_SELECTORS.sub("", raw)).translate(_DOTS)
    text = " ".join(unicodedata.normalize("NFKC", unified(visible)).split())
    return _SPACE_IN_NAME.sub("", _DOT_BETWEEN_HAN.sub("·", text))


def check_name(name: str) -> None:
    """Raises NameInvalid unless `name` (normalised) is a Chinese name, of 2 to 30 characters, · between its parts, or a Latin one.

    Latin letters are for the holders of a 外国人永久居留身份证; such a name may have 60 characters.
    """
    if not name:
        raise NameInvalid("请填写姓名。")
    own = next((character for character in name if unicodedata.category(character) == "Co"), None)
    if own is not None:
        raise NameInvalid(
            f"姓名里有自造字（私用区编码 U+{ord(own):04X}），别处无法显示。请用系统自带的输入法重新输入这个生僻字。"
        )
    longest = LATIN_NAME_LONGEST if _LATIN_NAME.fullmatch(name) else NAME_LONGEST
    if not NAME_SHORTEST <= len(name) <= longest:
        raise NameInvalid(f"姓名应为 {NAME_SHORTEST} 至 {longest} 个字，现在是 {len(name)} 个字，请核对。")
    if not (_HAN_NAME.fullmatch(name) or _LATIN_NAME.fullmatch(name)):
        raise NameInvalid(
            f"{_what_is_odd(name)}姓名只能是汉字（少数民族姓名中间用“·”），外籍教师填写证件上的拉丁字母姓名，请核对。"
        )


def _what_is_odd(name: str) -> str:
    """The first character that no name may have, or may not have there; nothing where each would do by itself."""
    odd = _NOT_IN_A_NAME.search(name)
    if odd is None and re.search(f"[{_HAN}]", name):
        odd = re.search(f"[^{_HAN}·]", name)
    return f"姓名里的{shown(odd[0])}不能用。" if odd else ""


def normalise_username(typed: str) -> str:
    """Usernames are small letters, digits and signs: typed in any case and width they are the same."""
    return "".join(without_invisible(unicodedata.normalize("NFKC", typed)).split()).lower()


# ---- Phones

_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def check_phone(phone: str) -> None:
    """Raises PhoneInvalid unless `phone` (normalised) is a mobile number of mainland China: 11 digits, 13 to 19 in front."""
    odd = next((character for character in phone if not _is_digit(character)), None)
    if odd is not None:
        raise PhoneInvalid(f"手机号里的{shown(odd)}不能用：应为 11 位数字，一格只填一个号码，请核对。")
    if not _MOBILE.fullmatch(phone):
        raise PhoneInvalid


# ---- Masks


def mask_phone(phone: str) -> str:
    """Three in front and four behind, for staff who work with the person."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_id_number(number: str) -> str:
    """`110***********1234`: the province with one digit more and the last four; what is too short for that shows nothing.

    So it is stored, and shown to staff who work with the person, and to the person.
    """
    return _masked(number, 3, 4) if len(number) >= 15 else "*" * len(number)


def last_four(masked: str) -> str:
    """`**************1234`, of a number or of what `mask_id_number` made of it: for the public, and where people are listed for others.

    Three digits in front as well leave so few numbers that asking finds the right one.
    """
    return _masked(masked, 0, 4) if len(masked) >= 15 else "*" * len(masked)


def mask_name(name: str) -> str:
    """`张*三`, `张*` for two characters: for who asks about a certificate without being anybody."""
    return _masked(name, 1, 1) if len(name) > 2 else name[:1] + "*"


def _masked(text: str, first: int, last: int) -> str:
    return text[:first] + "*" * (len(text) - first - last) + text[-last:]


# ---- Passwords


def check_password(new: str, username: str) -> None:
    """Raises PasswordTooWeak unless `new` has 10 to 128 characters, two kinds of them, does not hold the username and is not one that
    everybody tries.

    The kinds: letters, digits, everything else.
    """
    if len(new) < PASSWORD_SHORTEST:
        raise PasswordTooWeak(f"密码至少 {PASSWORD_SHORTEST} 个字符，现在是 {len(new)} 个，请加长。")
    if len(new) > PASSWORD_LONGEST:
        raise PasswordTooWeak(f"密码最多 {PASSWORD_LONGEST} 个字符，请缩短。")
    if username and username.casefold() in new.casefold():
        raise PasswordTooWeak("密码里不能含有用户名，请换一个。")
    if len({_kind(character) for character in new}) < 2:
        raise PasswordTooWeak("密码只用了一种字符，请把字母、数字、符号至少混用两种。")
    if is_common(new, username):
        raise PasswordTooWeak("这个密码太常见，猜密码的人会先试它，请换一个，例如几个不相干的词连在一起。")


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "letter" if character.isalpha() else "other"
