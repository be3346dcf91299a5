import hashlib
import io
import re
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image, ImageChops, ImageDraw

from server.certificates import press
from server.certificates.render import (
    TEMPLATE_VERSION,
    CertificateRenderer,
    CharacterMissing,
    FontsMissing,
    RenderFailed,
    Sheet,
    TextTooLong,
    in_capitals,
    missing_characters,
)
from server.institutions.rules import Level
from server.kernel.paper import FONT_FOLDERS
from server.layouts.documents import Layout, Ornament, Style
from tests.printed import (
    MICROTEXT,
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

LEVEL_3 = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6D6), (0x2A700, 0x2B734)),
    *((0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2F00, 0x2FD5)),
)
"""Blocks of ideographs and 康熙部首."""


def red_square() -> bytes:
    drawn = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).rectangle((2, 2, 297, 297), outline=(200, 16, 46, 255), width=12)
    saved = io.BytesIO()
    drawn.save(saved, "PNG")
    return saved.getvalue()


def a_layout(style: Style) -> Layout:
    moment = datetime(2022, 1, 1, tzinfo=UTC)
    return Layout(
        level=Level.THREE,
        version=1,
        style=style,
        effective_from=moment.date(),
        reason="试",
        set_by="试",
        set_at=moment,
    )


def structure_of(pdf: bytes) -> str:
    """The alternative words of its figures."""
    reader = open_pdf(pdf)
    found: list[str] = []
    for number in range(1, int(str(reader.trailer["/Size"]))):
        one = reader.get_object(number)
        if isinstance(one, dict) and "/Alt" in one:
            found.append(str(one["/Alt"]))
    return "".join(found)


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


def test_without_a_seal_the_page_says_so_and_with_one_it_does_not(renderer: CertificateRenderer) -> None:
    bare = text_of(renderer.render_pdf(a_sheet()))
    sealed = renderer.render_pdf(a_sheet(seal=SEAL, seal_type="image/svg+xml"))
    assert "未盖章" in bare and "未盖章" not in text_of(sealed)
    assert "发证机构印：邢台技师学院" in structure_of(sealed)


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_seal_is_pressed_over_issuer_and_date(renderer: CertificateRenderer, form: str) -> None:
    seal, kind = (SEAL, "image/svg+xml") if form == "svg" else (red_square(), "image/png")
    with Image.open(io.BytesIO(renderer.render_png(a_sheet(seal=seal, seal_type=kind), ppi=72))) as picture:
        drawn = picture.convert("RGB").crop((0, int(140 * MM), picture.width, int(190 * MM)))
    strong = drawn.getchannel("R").point(lambda value: 255 * (value > 180))
    pure = ImageChops.invert(drawn.getchannel("G")).point(lambda value: 255 * (value > 190))
    found = ImageChops.multiply(strong, pure).getbbox()
    assert found is not None
    left, top, right, bottom = found
    assert ((left + right) / 2, (top + bottom) / 2 + 140 * MM) == pytest.approx(
        (197 * MM, 165 * MM), abs=2 * MM
    )
    assert right - left == pytest.approx(42 * MM, abs=3 * MM)


def test_a_reissue_says_so_on_its_face(renderer: CertificateRenderer) -> None:
    words = words_of(renderer.render_pdf(a_sheet(mark="补发")))
    mark = the_one(words, "补发")
    assert mark.x > PAGE_WIDTH * 0.8 and mark.y > PAGE_HEIGHT / 2
    assert "补发" not in text_of(renderer.render_pdf(a_sheet()))


def test_the_number_stands_in_microtext_too(renderer: CertificateRenderer) -> None:
    sheet = a_sheet()
    pdf = open_pdf(renderer.render_pdf(sheet))
    small: list[str] = []
    pdf.pages[0].extract_text(
        visitor_text=lambda text, _u, _t, _f, size: small.append(text) if 0 < size < MICROTEXT else None
    )
    assert f"{sheet.snapshot.number}·{sheet.snapshot.serial}·{sheet.snapshot.name}" in "".join(small)


# ---- layouts


def test_a_layout_changes_the_looks_and_not_the_words(renderer: CertificateRenderer) -> None:
    style = Style(ornament=Ornament.LINES, frame_colour="#123a6b", title_size=42, body_size=14, name_down=56)
    other = a_sheet(layout=a_layout(style))
    assert text_of(renderer.render_pdf(other)) == text_of(renderer.render_pdf(a_sheet()))
    assert renderer.render_png(other, ppi=36) != renderer.render_png(a_sheet(), ppi=36)


@pytest.mark.parametrize("extreme", [0, 1], ids=["lowest", "highest"])
def test_at_the_bounds_of_a_layout_the_longest_words_still_keep_apart(
    renderer: CertificateRenderer, extreme: int
) -> None:
    bounds = {
        name: [one.ge if hasattr(one, "ge") else one.le for one in field.metadata][extreme]
        for name, field in Style.model_fields.items()
        if len(field.metadata) == 2 and not name.endswith("colour")
    }
    sheet = a_sheet(
        name="阿" * 60, issuer="广" * 60, courses=LONG_COURSES, mark="补发", layout=a_layout(Style(**bounds))
    )
    words = words_of(renderer.render_pdf(sheet))
    lines = sorted({round(each.y) for each in words}, reverse=True)
    sizes = {line: max(each.size for each in words if round(each.y) == line) for line in lines}
    left = [line for line in lines if any(each.x < PAGE_WIDTH / 2 for each in words if round(each.y) == line)]
    assert all(above - below >= 0.85 * sizes[below] for above, below in pairwise(left))


def test_what_was_printed_by_version_1_is_drawn_as_it_was(renderer: CertificateRenderer) -> None:
    text = text_of(renderer.render_pdf(a_sheet(template_version=1)))
    assert a_snapshot().number in text and "未盖章" not in text


# ---- forms that are printed already


def test_on_a_form_only_words_are_printed_where_the_printer_needs_them(renderer: CertificateRenderer) -> None:
    sheet = a_sheet(seal=SEAL, seal_type="image/svg+xml", layout=a_layout(Style(overprint_right=1)))
    there, moved = (
        words_of(renderer.render_overprint([sheet], "套打", right=right, down=2)) for right in (0, 3)
    )
    assert "合格证书" not in "".join(each.text for each in there)
    number = sheet.snapshot.number
    assert the_one(moved, number).x - the_one(there, number).x == pytest.approx(3 * MM, abs=0.01)
    whole = the_one(words_of(renderer.render_pdf(sheet)), number)
    assert the_one(there, number).x - whole.x == pytest.approx(1 * MM, abs=0.01)
    assert whole.y - the_one(there, number).y == pytest.approx(2 * MM, abs=0.01)


def test_the_form_has_the_title_and_nobodys_words(renderer: CertificateRenderer) -> None:
    assert text_of(renderer.render_form(None)).strip() == "工学一体化教师培训合格证书"


# ---- what must fit


LONG_NAME = "阿卜杜热西提·买买提艾力·阿布都克热木·吐尔逊江·拜合提"
LONG_ISSUER = "广西壮族自治区机电工程与新能源汽车高级技工学校（技师学院）教师培训中心"
LONG_COURSES = tuple(
    f"工学一体化课程{which}的设计、开发与实施（含学习任务分析）" for which in "甲乙丙丁戊己庚辛"
)


@pytest.mark.parametrize("level", list(Level))
def test_the_shortest_and_the_longest_words_of_each_level_fit_on_one_page(
    renderer: CertificateRenderer, level: Level
) -> None:
    """With a seal and without, and on a form; what lacks a character or its place is not drawn at all."""
    shortest: dict[str, Any] = {"name": "王𪚥", "issuer": "校", "courses": ("课",), "level": level}
    longest: dict[str, Any] = {
        "name": LONG_NAME,
        "issuer": LONG_ISSUER,
        "courses": LONG_COURSES,
        "level": level,
        "mark": "补发",
    }
    longest.update({"major": "交通类（含轨道交通）", "class_hours": 1600, "training_to": date(2022, 12, 31)})
    for words in (shortest, longest):
        bare = a_sheet(**words)
        form = renderer.render_overprint([bare], "套打")  # no ground to be read through
        sealed = renderer.render_pdf(a_sheet(**words, seal=SEAL, seal_type="image/svg+xml"))
        assert [len(open_pdf(pdf).pages) for pdf in (form, renderer.render_pdf(bare), sealed)] == [1] * 3
        printed = bare.snapshot
        wanted = [printed.name, printed.issuer, *printed.courses, printed.major, level.training, printed.mark]
        assert [word for word in wanted if word not in text_of(form)] == []


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


@pytest.mark.parametrize("name", ["㛃䶮", "𬱖𠮷", "㼆𫘧·𰻝", "王𪚥", "买买提·吐尔逊"])
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


def test_every_ideograph_of_gb_18030_2022_at_level_3_is_printed(renderer: CertificateRenderer) -> None:
    """The first and last of each block, and each 61st between them; all of them were asked for once (decision 0039)."""
    asked = [char for first, last in LEVEL_3 for char in (*range(first, last, 61), last)]
    assert renderer.missing(["".join(map(chr, asked))]) == ""


def test_what_is_missing_is_known_before_anything_is_drawn() -> None:
    assert missing_characters(["王𱅒", "李\U000e1234", "买买提·吐尔逊"]) == "𱅒\U000e1234"
    assert missing_characters(["王𪚥", "陈"]) == ""


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
    about = reader.root_object["/Metadata"].get_data()  # type: ignore[attr-defined]
    assert b"<pdfaid:part>2</pdfaid:part>" in about and b"<pdfaid:conformance>A</pdfaid:conformance>" in about
    assert b"<pdfuaid:part>1</pdfuaid:part>" in about
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


def test_a_picture_is_the_same_to_the_pixel_however_often_its_ground_is_used(
    renderer: CertificateRenderer,
) -> None:
    first = renderer.render_png(a_sheet(), ppi=100)
    renderer.render_png(a_sheet(order=2), ppi=100)
    assert (
        renderer.render_png(a_sheet(), ppi=100)
        == first
        == CertificateRenderer().render_png(a_sheet(), ppi=100)
    )


def test_phones_get_a_jpeg_as_wide_as_they_are(renderer: CertificateRenderer) -> None:
    jpeg = renderer.render_jpeg(a_sheet())
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1080, 764))
    assert len(jpeg) < 250_000


def test_the_qr_code_has_fewer_modules_when_its_token_is_in_capitals() -> None:
    of_before = "https://peixun.example.cn/verify/8sK2mQ0vX4bTn7Yw3ZcLpA"
    assert in_capitals(of_before) == of_before
    short = in_capitals(VERIFY_URL)
    assert short == "HTTPS://PEIXUN.EXAMPLE.CN/V/MFRGGZDFMZTWQ2LKNNWG23TPOA"
    assert [segno.make_qr(url, error="m").symbol_size()[0] for url in (of_before, short)] == [33 + 8, 29 + 8]
    assert re.fullmatch("[A-Z2-7]{26}", press.new_token())


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
