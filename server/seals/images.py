"""The picture of a seal, read in a process of its own: checked, freed of its ground, written anew as PNG.

What is stored was written here; of the uploaded file nothing but its digest is kept. A drawing (SVG) is drawn once, by the program that
prints certificates: what the province reviews is what is printed, and no drawing makes printing slow.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

import typst
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image, ImageChops

from server.kernel.errors import FileUnreadable

UPLOADED_LARGEST = 4 * 2**20
PIXELS_MOST = 25_000_000
"""A seal of 4.5 cm scanned at 2,400 dpi has 18 million."""
SIDE_LEAST, SIDE_MOST = 200, 1_000
"""Pixels; a larger picture is made smaller: 4.2 cm, as a seal is printed, at 600 dpi are 992."""
LONGEST_TO_SHORTEST = 3
WHITE = 225
"""From here on a channel of a ground counts as white: scanned paper is not quite."""
FAINT = 16
"""An alpha below it is not seen."""
SVG_LARGEST = 512 * 1024
ELEMENTS_MOST = 5_000
DEPTH_MOST = 100
DRAWN = 288
"""Points of the longer side of a drawing: it is drawn with SIDE_MOST pixels."""
SVG = "http://www.w3.org/2000/svg"
DRAWS = frozenset(
    "svg g defs path rect circle ellipse line polyline polygon clipPath linearGradient radialGradient stop".split()
)
SAYS = frozenset({"title", "desc", "metadata"})
"""Neither draws nor acts."""
REFUSED = {
    "script": "脚本",
    "foreignObject": "嵌入的网页",
    "image": "嵌入的图片",
    "a": "链接",
    "text": "文字",
    "style": "样式表",
    "use": "引用",
}
LOCAL = re.compile(r"#[\w.-]+")
REFERENCE = re.compile(r"url\(\s*['\"]?([^'\")]*)['\"]?\s*\)", re.IGNORECASE)
SUSPECT = re.compile(r"javascript:|data:|https?:|file:|@import|expression\s*\(|\\", re.IGNORECASE)
LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:px|mm|cm|pt|in)?\s*")
AGAIN_PNG = "请导出为透明底或白底的静态 PNG 后重新上传。"


@dataclass(frozen=True)
class Picture:
    media_type: str
    content: bytes
    size: str
    cleared: bool
    """A white ground was made transparent."""
    uploaded: str
    """SHA-256 of what was uploaded."""


def read_picture(content: bytes) -> Picture:
    """Raises FileUnreadable in words that say what to do."""
    if len(content) > UPLOADED_LARGEST:
        raise FileUnreadable(
            f"文件超过 {UPLOADED_LARGEST // 2**20} MB。请把印章图片缩小到边长 1000 像素左右。"
        )
    uploaded = hashlib.sha256(content).hexdigest()
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _read_png(content, uploaded)
    if b"<svg" in content[:4096].replace(b"\0", b"") or content.lstrip()[:5] == b"<?xml":  # UTF-16 too
        return _read_svg(content, uploaded)
    raise FileUnreadable("印章须是 PNG 或 SVG 图片。照片、JPG 和 PDF 请先去除背景，导出为透明底的 PNG。")


# ---- PNG


def _read_png(content: bytes, uploaded: str) -> Picture:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as opened:
            _check_pixels(*opened.size)
            if getattr(opened, "n_frames", 1) > 1 or b"acTL" in content[:4096]:
                raise FileUnreadable(f"这是动画 PNG，印章须是静态图片。{AGAIN_PNG}")
            picture = opened.convert("RGBA")
    except Image.DecompressionBombError:
        raise _too_large("超过一亿") from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise FileUnreadable(f"这个 PNG 文件已损坏或不完整。{AGAIN_PNG}") from None
    return _written(picture, uploaded)


def _check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS_MOST:
        raise _too_large(f"{width} × {height}")


def _too_large(pixels: str) -> FileUnreadable:
    return FileUnreadable(f"图片有 {pixels} 像素，太大。请缩小到边长 {SIDE_MOST} 像素左右后重新上传。")


def _written(picture: Image.Image, uploaded: str) -> Picture:
    seen_through = picture.getchannel("A").point(lambda alpha: 255 if alpha < 255 - FAINT else 0).getbbox()
    cleared = seen_through is None
    if cleared:
        _check_corners(picture)
    picture = _without_white(picture)
    box = picture.getchannel("A").point(lambda alpha: 255 if alpha >= FAINT else 0).getbbox()
    if box is None:
        raise FileUnreadable("图片是空白的，看不到印章。请检查后重新上传。")
    picture = picture.crop(box)
    _check_shape(*picture.size)
    if min(picture.size) < SIDE_LEAST:
        raise FileUnreadable(
            f"印章只有 {picture.width} × {picture.height} 像素，打印不清楚。请用边长 {SIDE_LEAST} 像素以上的图片。"
        )
    picture.thumbnail((SIDE_MOST, SIDE_MOST), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return Picture("image/png", written.getvalue(), f"{picture.width} × {picture.height}", cleared, uploaded)


def _without_white(picture: Image.Image) -> Image.Image:
    """White becomes transparent and what is between white and ink becomes ink that is seen through: on white it looks as before, and on
    the ground of a certificate nothing of it hides what lies below."""
    *colours, alpha = picture.split()
    whiteness = _whiteness(picture).point(lambda white: 255 if white >= WHITE else white)
    ink = [ImageChops.multiply(ImageChops.subtract(one, whiteness), alpha) for one in colours]
    return Image.merge("RGBa", (*ink, ImageChops.multiply(ImageChops.invert(whiteness), alpha))).convert(
        "RGBA"
    )


def _whiteness(picture: Image.Image) -> Image.Image:
    red, green, blue, _ = picture.split()
    return ImageChops.darker(ImageChops.darker(red, green), blue)


def _check_corners(picture: Image.Image) -> None:
    """Raises FileUnreadable where a ground without any transparency is of another colour."""
    whiteness = _whiteness(picture)
    last = picture.width - 1, picture.height - 1
    corners = [(0, 0), (last[0], 0), (0, last[1]), last]
    if any(int(whiteness.getpixel(corner)) < WHITE for corner in corners):  # type: ignore[arg-type]  # one channel
        raise FileUnreadable(
            "图片不是透明底，四角也不是白色，会遮住证书上的文字。请去除背景，导出为透明底的 PNG。"
        )


def _check_shape(width: float, height: float) -> None:
    if max(width, height) > LONGEST_TO_SHORTEST * min(width, height):
        raise FileUnreadable("图片太细长，不像一枚印章。请只截取印章本身后重新上传。")


# ---- SVG


def _read_svg(content: bytes, uploaded: str) -> Picture:
    if len(content) > SVG_LARGEST:
        raise FileUnreadable(f"SVG 超过 {SVG_LARGEST // 1024} KB。请简化图形，或改用 PNG。")
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise FileUnreadable(
            "SVG 含有 DTD、实体或外部引用，不能使用。请用绘图软件另存为“普通 SVG”。"
        ) from None
    except (ParseError, ValueError):
        raise FileUnreadable("这个 SVG 文件已损坏，无法读取。请用绘图软件重新导出。") from None
    if root.tag != f"{{{SVG}}}svg":
        raise FileUnreadable("这不是 SVG 图片。请用绘图软件导出为“普通 SVG”。")
    if sum(1 for _ in root.iter()) > ELEMENTS_MOST:
        raise FileUnreadable(f"SVG 的图形超过 {ELEMENTS_MOST} 个。请简化图形，或改用 PNG。")
    _check_parts(root)
    width, height = _extent(root)
    _check_shape(width, height)
    register_namespace("", SVG)
    return _written(_drawn(tostring(root, encoding="unicode"), width, height), uploaded)


def _check_parts(root: Element) -> None:
    """Refuses what acts, fetches, or is not at hand when it is drawn."""
    left = [(root, 1)]
    while left:
        part, depth = left.pop()
        if depth > DEPTH_MOST:
            raise FileUnreadable(f"SVG 的图层嵌套超过 {DEPTH_MOST} 层。请合并图层后重新导出，或改用 PNG。")
        namespace, _, name = str(part.tag).rpartition("}")
        ours = namespace in ("", f"{{{SVG}")
        if ours and (name in REFUSED or name not in DRAWS | SAYS):
            what = REFUSED.get(name, f"“{name[:30]}”元素")
            then = "请把文字转为轮廓（转曲）" if name == "text" else "请去掉后另存为“普通 SVG”，或改用 PNG"
            raise FileUnreadable(f"SVG 含有{what}，不能使用。{then}。")
        _check_attributes(part)
        left += [(child, depth + 1) for child in part]


def _check_attributes(element: Element) -> None:
    for name, value in element.attrib.items():
        _, _, local = name.rpartition("}")
        if local.lower().startswith("on"):
            raise FileUnreadable("SVG 含有脚本（事件），不能使用。请去掉后另存为“普通 SVG”，或改用 PNG。")
        outside = local == "href" and not LOCAL.fullmatch(value)
        fetched = any(not LOCAL.fullmatch(target) for target in REFERENCE.findall(value))
        if outside or fetched or SUSPECT.search(value):
            raise FileUnreadable(
                "SVG 含有链接或外部引用，不能使用。请把用到的内容嵌为图形，另存为“普通 SVG”，或改用 PNG。"
            )


def _extent(root: Element) -> tuple[float, float]:
    box = [part for part in re.split(r"[\s,]+", root.get("viewBox", "").strip()) if part]
    try:
        _, _, width, height = map(float, box)
    except ValueError:
        found = [LENGTH.fullmatch(root.get(side, "")) for side in ("width", "height")]
        if not all(found):
            raise FileUnreadable("SVG 没有写明大小（viewBox）。请用绘图软件另存为“普通 SVG”。") from None
        width, height = (float(one[1]) for one in found if one)
    if not (0 < width < 1e5 and 0 < height < 1e5):
        raise FileUnreadable("SVG 的大小（viewBox）不对。请用绘图软件另存为“普通 SVG”。")
    return width, height


def _drawn(svg: str, width: float, height: float) -> Image.Image:
    """As the program draws it that prints certificates. Raises FileUnreadable where nothing is seen, or its ground."""
    longer = max(width, height)
    sides = f"width: {DRAWN * width / longer}pt, height: {DRAWN * height / longer}pt"
    page = (
        f"#set page({sides}, margin: 0pt, fill: none)\n"
        f'#image(bytes({_quoted(svg)}), format: "svg", {sides}, fit: "stretch")'
    )
    try:
        compiler = typst.Compiler(ignore_system_fonts=True)
        drawn = compiler.compile(page.encode(), format="png", ppi=SIDE_MOST * 72 / DRAWN)
    except (RuntimeError, typst.TypstError):
        raise FileUnreadable("这个 SVG 画不出来。请用绘图软件另存为“普通 SVG”，或改用 PNG。") from None
    assert isinstance(drawn, bytes)
    with Image.open(io.BytesIO(drawn)) as opened:
        picture = opened.convert("RGBA")
    alpha = picture.getchannel("A")
    last = alpha.width - 1, alpha.height - 1
    if all(int(alpha.getpixel(at)) > FAINT for at in ((0, 0), (last[0], 0), (0, last[1]), last)):  # type: ignore[arg-type]  # one channel
        raise FileUnreadable("SVG 有底色，会遮住证书上的文字。请删去背景图形后重新上传。")
    return picture


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
