"""Pictures of strangers: decoded within bounds and drawn anew, so that nothing is kept but what is seen. Pure; call it apart."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from server.kernel.errors import FieldError, Invalid

LARGEST = 5 * 2**20
"""Bytes."""
PIXELS_MOST = 50_000_000
"""A phone's picture has twelve to fifty million."""
SIDE = 2_000
"""Of what is kept: the small print of a certificate can be read."""
FORMATS = ("JPEG", "PNG", "WEBP")


class PictureRefused(Invalid):
    slug = "picture-refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, fields=[FieldError("picture", detail)])


def check_size(content: bytes) -> None:
    """What can be said before anything is decoded."""
    if len(content) > LARGEST:
        raise PictureRefused(f"图片超过 {LARGEST // 2**20} MiB。请裁剪，或在手机里选“较小尺寸”后重新选择。")


def redrawn(content: bytes, side: int = SIDE) -> bytes:
    """As JPEG of at most `side` pixels each way, upright, without place, time and camera. Raises PictureRefused."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MOST:
                raise PictureRefused("图片的像素太多，无法读取。请缩小或截图后重新选择。")
            opened.draft("RGB", (side, side))
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((side, side))
            plain = Image.new("RGB", upright.size, "white")
            seen = upright.convert("RGBA")
            plain.paste(seen, mask=seen)
    except PictureRefused:
        raise
    except Exception as error:
        # Whatever a stranger's bytes get out of a decoder.
        raise PictureRefused("这不是可以读取的图片（JPEG、PNG 或 WebP）。请重新拍照或截图后再选。") from error
    written = io.BytesIO()
    plain.save(written, "JPEG", quality=82)
    return written.getvalue()
