import hashlib
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.certificates import press
from server.certificates.render import (
    FONT_FOLDERS,
    TEMPLATE_VERSION,
    CertificateRenderer,
    CharacterMissing,
    FontsMissing,
    RenderFailed,
    Sheet,
    TextTooLong,
)
from server.institutions.rules import Level
from tests.printed import (
    MM,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    SEAL,
    VERIFY_URL,
    a_sheet,
    a_snapshot,
    open_pdf,
    text_of,
    the_one,
    words_of,
)


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer()


# ---- what is printed


@pytest.mark.parametrize("level", list(Level))
def test_the_page_says_everything_that_article_17_asks_for(
    renderer: CertificateRenderer, level: Level
) -> None:
    snapshot = a_snapshot(level=level)
    text = text_of(renderer.render_pdf(Sheet(snapshot, VERIFY_URL)))
    wanted = ["工学一体化教师培训合格证书", snapshot.name, snapshot.id_number, "2022年6月6日至2022年6月17日"]
    wanted += [level.training, "专业大类：信息类", *snapshot.courses, "80课时", "成绩合格", "特发此证"]
    wanted += [
        "邢台技师学院",
        "2022年6月20日",
        f"证书编号：{snapshot.number}",
        f"证书序列号：{snapshot.serial}",
        "扫码验证",
    ]
    assert [words for words in wanted if words not in text] == []


def test_the_place_of_the_seal_is_clear(renderer: CertificateRenderer) -> None:
    """A seal of 42 mm is pressed over the issuer and the date; only these two may be under it."""
    sheet = a_sheet(seal=SEAL, seal_type="image/svg+xml")
    words = words_of(renderer.render_pdf(sheet))
    middle_x, middle_y = 197 * MM, 45 * MM
    reach = 21 * MM
    # What begins further right than the seal's left edge and left of its right edge, at its height.
    under = {each.text for each in words if abs(each.x - middle_x) < reach and abs(each.y - middle_y) < reach}
    assert under == {sheet.snapshot.issuer, "2022年6月20日"}


def test_the_words_of_people_are_printed_as_they_are_not_read_as_markup(
    renderer: CertificateRenderer,
) -> None:
    snapshot = a_snapshot(class_name="#panic()", courses=("*课程* #sys $x$ _甲_ <b>", "\\u{41} // 注"))
    text = text_of(renderer.render_pdf(Sheet(snapshot, VERIFY_URL)))
    assert "《*课程* #sys $x$ _甲_ <b>》" in text
    assert "\\u{41} // 注" in text


# ---- what must fit


LONG_NAME = "阿卜杜热西提·买买提艾力·阿布都克热木·吐尔逊江·拜合提"
LONG_ISSUER = "广西壮族自治区机电工程与新能源汽车高级技工学校（技师学院）教师培训中心"
LONG_COURSES = tuple(
    f"工学一体化课程{which}的设计、开发与实施（含学习任务分析）" for which in "甲乙丙丁戊己庚辛"
)


def test_a_long_name_a_long_issuer_and_eight_courses_fit_on_the_page(renderer: CertificateRenderer) -> None:
    snapshot = a_snapshot(name=LONG_NAME, issuer=LONG_ISSUER, courses=LONG_COURSES, major="财经商贸类")
    pdf = renderer.render_pdf(Sheet(snapshot, VERIFY_URL))
    assert len(open_pdf(pdf).pages) == 1
    text = text_of(pdf)
    assert [words for words in (LONG_NAME, LONG_ISSUER, *LONG_COURSES) if words not in text] == []
    words = words_of(pdf)
    number = the_one(words, snapshot.number)
    assert min(each.size for each in words if each.y > number.y) >= 10.5  # still 五号 and legible
    assert all(18 * MM < each.x < PAGE_WIDTH - 18 * MM for each in words)
    assert the_one(words, "特发此证。").y > number.y + 5 * MM
    qr_edge = PAGE_WIDTH - (28 + 23) * MM
    assert all(each.x < qr_edge for each in words if "扫码" not in each.text and each.y < number.y)


def test_what_does_not_fit_is_refused_not_cut_off(renderer: CertificateRenderer) -> None:
    with pytest.raises(TextTooLong) as refusal:
        renderer.render_pdf(a_sheet(courses=("课" * 60,) * 8))
    assert "排不下" in refusal.value.detail


# ---- characters and fonts


@pytest.mark.parametrize("name", ["㛃䶮", "𬱖𠮷", "㼆𫘧·𰻝", "买买提·吐尔逊"])
def test_rare_characters_are_printed(renderer: CertificateRenderer, name: str) -> None:
    assert name in text_of(renderer.render_pdf(a_sheet(name=name)))


@pytest.mark.parametrize("form", ["pdf", "png"])
@pytest.mark.parametrize(("missing", "shown"), [("𱅒", "𱅒"), ("\U000e1234", "U+E1234")])
def test_a_character_that_no_font_has_is_refused_and_named(
    renderer: CertificateRenderer, form: str, missing: str, shown: str
) -> None:
    render = renderer.render_pdf if form == "pdf" else renderer.render_png
    with pytest.raises(CharacterMissing) as refusal:
        render(a_sheet(name=f"王{missing}"))
    assert f"“{shown}”" in refusal.value.detail
    assert refusal.value.status == 422


def test_a_warning_of_typst_is_an_error(
    renderer: CertificateRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer, "_families", [*renderer._families, "A Font That Nobody Has"])
    with pytest.raises(RenderFailed) as refusal:
        renderer.render_pdf(a_sheet())
    assert "unknown font" in str(refusal.value.__cause__)


def test_the_body_font_alone_is_enough_and_the_report_says_so() -> None:
    renderer = CertificateRenderer(FONT_FOLDERS[:1])
    snapshot = a_snapshot(name="㛃䶮")
    assert snapshot.name in text_of(renderer.render_pdf(Sheet(snapshot, VERIFY_URL)))
    report = renderer.fonts_report()
    assert "未安装楷体" in report
    assert "\n" not in report


def test_no_font_at_all_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(FontsMissing, match="没有可用的证书字体"):
        CertificateRenderer((tmp_path, tmp_path / "missing"))


# ---- the files


def test_the_pdf_is_made_to_be_kept_and_names_itself(renderer: CertificateRenderer) -> None:
    snapshot = a_snapshot()
    pdf = renderer.render_pdf(Sheet(snapshot, VERIFY_URL))
    reader = open_pdf(pdf)
    assert reader.metadata is not None
    assert reader.metadata.title == f"工学一体化教师培训合格证书 {snapshot.number}"
    assert reader.metadata.author == snapshot.issuer
    assert snapshot.id_number not in str(reader.metadata)
    assert str(reader.root_object["/Lang"]) == "zh-CN"
    assert b"<pdfaid:part>2</pdfaid:part>" in reader.root_object["/Metadata"].get_data()  # type: ignore[attr-defined]
    assert (float(reader.pages[0].mediabox.width), float(reader.pages[0].mediabox.height)) == pytest.approx(
        (PAGE_WIDTH, PAGE_HEIGHT), abs=0.1
    )
    assert len(pdf) < 200_000


@pytest.mark.parametrize(("ppi", "size"), [(72, (842, 595)), (144, (1684, 1191))])
def test_the_png_has_the_asked_resolution(
    renderer: CertificateRenderer, ppi: float, size: tuple[int, int]
) -> None:
    png = renderer.render_png(a_sheet(), ppi=ppi)
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == size


def test_the_same_snapshot_gives_the_same_bytes_in_another_process(renderer: CertificateRenderer) -> None:
    program = (
        "import hashlib; from server.certificates.render import CertificateRenderer as R;"
        "from tests.printed import a_sheet;"
        "print(hashlib.sha256(R().render_pdf(a_sheet())).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    renderer.render_pdf(a_sheet(order=2))
    here = renderer.render_pdf(a_sheet())
    assert hashlib.sha256(here).hexdigest() == elsewhere.stdout.strip()


def test_another_address_gives_another_qr_code(renderer: CertificateRenderer) -> None:
    other = a_sheet(verify_url=VERIFY_URL[:-1] + "B")
    assert renderer.render_pdf(a_sheet()) != renderer.render_pdf(other)


def test_threads_that_share_a_renderer_each_get_their_own_certificate(renderer: CertificateRenderer) -> None:
    snapshots = [a_snapshot(order=order) for order in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        pdfs = list(pool.map(lambda snapshot: renderer.render_pdf(Sheet(snapshot, VERIFY_URL)), snapshots))
    for snapshot, pdf in zip(snapshots, pdfs, strict=True):
        assert snapshot.number in text_of(pdf)


def test_an_unknown_version_of_the_layout_is_refused(renderer: CertificateRenderer) -> None:
    with pytest.raises(RenderFailed, match="样式"):
        renderer.render_pdf(a_sheet(template_version=TEMPLATE_VERSION + 1))


async def test_a_book_has_a_page_for_each_however_many_are_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(press, "PAGES_AT_ONCE", 2)
    sheets = [a_sheet(order=order) for order in range(1, 6)]
    book = open_pdf(await press.press().book(sheets, "三级班证书"))
    assert book.metadata is not None and book.metadata.title == "三级班证书"
    for sheet, page in zip(sheets, book.pages, strict=True):
        assert sheet.snapshot.number in page.extract_text()
