"""第十七条: the content of a certificate and the rules of its codes."""

import pytest

from server.certificates.render import CertificateRenderer
from server.certificates.rules import number, parse_number, parse_serial, serial
from server.institutions.annex1 import INSTITUTIONS
from server.institutions.rules import Level
from tests.printed import (
    MM,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    SEAL,
    Words,
    a_sheet,
    a_snapshot,
    text_of,
    the_one,
    words_of,
)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return CertificateRenderer().render_pdf(a_sheet())


@pytest.fixture(scope="module")
def printed(pdf: bytes) -> str:
    return text_of(pdf)


@pytest.fixture(scope="module")
def words(pdf: bytes) -> list[Words]:
    return words_of(pdf)


def institution(name: str) -> tuple[str, str]:
    listed = next(each for each in INSTITUTIONS if each.name == name)
    return listed.province_code, listed.code


# ---- （一）培训证书内容


def test_1_personal_information_is_printed(printed: str) -> None:
    """第十七条（一）: 个人信息包括参训教师姓名、身份证号。"""
    snapshot = a_snapshot()
    assert printed.index(snapshot.name) < printed.index(f"身份证号：{snapshot.id_number}")


def test_1_training_information_is_printed(printed: str) -> None:
    """第十七条（一）: 培训时间、培训级别、专业大类、课程内容、培训课时、考核结果等。"""
    snapshot = a_snapshot()
    for words in (
        "2022年6月6日至2022年6月17日",
        "三级教师培训",
        "信息类",
        *snapshot.courses,
        "80课时",
        "经考核，成绩合格",
    ):
        assert words in printed


def test_1_certificate_information_is_printed(printed: str) -> None:
    """第十七条（一）: 发证机构（含发证机构印）、证书序列号和证书编号。"""
    for words in ("邢台技师学院", "证书序列号：1300900001", "证书编号：130092022063001"):
        assert words in printed


def test_1_the_issuers_seal_is_on_the_paper_or_the_paper_says_that_it_is_not() -> None:
    """第十七条（一）: 发证机构（含发证机构印）。"""
    renderer = CertificateRenderer()
    assert "（未盖章）" in text_of(renderer.render_pdf(a_sheet()))
    assert "未盖章" not in text_of(renderer.render_pdf(a_sheet(seal=SEAL, seal_type="image/svg+xml")))


def test_1_nothing_else_is_printed_and_all_of_it_in_the_order_of_the_article(printed: str) -> None:
    """第十七条（一）: 个人信息、培训信息、证书信息, as the sample has them."""
    snapshot = a_snapshot()
    inorder = [snapshot.name, snapshot.id_number, "2022年6月6日", "三级教师培训", "信息类", *snapshot.courses]
    inorder += ["80课时", "成绩合格", snapshot.issuer]
    body = printed[printed.index("（身份证号") - len(snapshot.name) :]
    places = [body.index(words) for words in inorder]
    assert places == sorted(places)
    rest = body
    for words in (*inorder, "至2022年6月17日", snapshot.number, snapshot.serial, "2022年6月20日"):
        rest = rest.replace(words, "", 1)
    fixed = "（身份证号：）于参加工学一体化（专业大类：），完成《》《》《》课程学习，共计，经考核，，准予结业。特发此证。"
    fixed += "证书编号：证书序列号：扫码验证（未盖章）"
    assert sorted(rest.replace(" ", "")) == sorted(fixed)


# ---- （二）1. 证书序列号（共10位）


def test_2_1_the_example_of_a_serial() -> None:
    """第十七条（二）1: 如北京市工贸技师学院培训证书序列号为110010000X。"""
    assert [serial(*institution("北京市工贸技师学院"), order) for order in (1, 9)] == [
        "1100100001",
        "1100100009",
    ]


def test_2_1_the_places_of_a_serial() -> None:
    """第十七条（二）1: 第1-2位省行政区划代码，第3-5位培训机构号，第6-10位顺序号。"""
    text = serial("32", "017", 12_345)
    assert (text[:2], text[2:5], text[5:]) == ("32", "017", "12345")
    assert parse_serial(text) == ("32", "017", 12_345)


# ---- （二）2. 证书编号（共15位）


def test_2_2_the_example_of_a_third_level_number() -> None:
    """第十七条（二）2: 如邢台技师学院2022年6月三级教师培训班的证书编号为13009202206300X。"""
    place = institution("邢台技师学院")
    numbers = [number(*place, "202206", Level.THREE, order) for order in (1, 9)]
    assert numbers == ["130092022063001", "130092022063009"]


def test_2_2_the_example_of_a_backbone_number() -> None:
    """第十七条（二）2: 江苏省常州技师学院2022年12月骨干教师培训班的证书编号为32017202212G00X。"""
    place = institution("江苏省常州技师学院")
    numbers = [number(*place, "202212", Level.BACKBONE, order) for order in (1, 9)]
    assert numbers == ["32017202212G001", "32017202212G009"]


@pytest.mark.parametrize(
    ("level", "code"), [(Level.ONE, "1"), (Level.TWO, "2"), (Level.THREE, "3"), (Level.BACKBONE, "G")]
)
def test_2_2_the_places_of_a_number(level: Level, code: str) -> None:
    """第十七条（二）2: 第12位为级别代码（1、2、3分别对应一、二、三级，G为骨干教师），第13-15位为顺序号。"""
    text = number("44", "033", "202403", level, 27)
    assert (text[:2], text[2:5], text[5:11], text[11], text[12:]) == ("44", "033", "202403", code, "027")
    assert parse_number(text).level is level


# ---- where the codes are printed


def test_2_1_the_serial_is_printed_at_the_bottom_left(words: list[Words]) -> None:
    """第十七条（二）1: 印在证书左下角。"""
    serial_words = the_one(words, a_snapshot().serial)
    assert serial_words.x < PAGE_WIDTH / 4
    assert serial_words.y < PAGE_HEIGHT / 4


def test_2_2_the_number_is_printed_centred_below_the_body(words: list[Words]) -> None:
    """第十七条（二）2: 印在证书正文下方中间位置。"""
    label, number_words = the_one(words, "证书编号："), the_one(words, a_snapshot().number)
    assert number_words.y < the_one(words, "特发此证。").y
    # A digit of the font with its spacing is 0.61 of its size wide.
    end = number_words.x + 15 * 0.61 * number_words.size
    assert (label.x + end) / 2 == pytest.approx(PAGE_WIDTH / 2, abs=2 * MM)
