"""The seal of an institution: which picture will do, the province's review, versions (articles 17 and 18)."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib

import pytest
from PIL import Image

from server.kernel.errors import FileUnreadable, NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, NotYours, Return, Review
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.seals import filing, service
from server.seals.documents import Seal
from server.seals.filing import AlreadyFiled, Retirement
from server.seals.images import read_picture
from tests import cast, sealing, stage
from tests.progressing import waits

XINGTAI, HEBEI = stage.actor(cast.XINGTAI_OFFICER), stage.actor(cast.HEBEI_OFFICER)
JIANGSU, CHANGZHOU = stage.actor(cast.JIANGSU_OFFICER), stage.actor(cast.CHANGZHOU_OFFICER)
WHY = "印文与机构全称不符"


def seen(found: Seal) -> Review:
    return Review(seen=len(found.history))


async def filed(platform: Platform) -> Seal:
    return await filing.file(platform, XINGTAI, cast.XINGTAI, sealing.png())


# ---- the picture


def bomb(side: int = 10_000, before: bytes = b"") -> bytes:
    """100 megapixels in a kilobyte, or more; `before`: a comment where the size should be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    comment = chunk(b"tEXt", before) if before else b""
    picture = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + comment + picture


def animated() -> bytes:
    frames = [Image.new("RGBA", (300, 300), (200, 0, 0, shade)) for shade in (40, 90)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


ENTITY = '<!DOCTYPE svg [<!ENTITY a "aaaa">]>'
RING = '<circle cx="50" cy="50" r="45" fill="none" stroke="#d11"/>'
REFUSED = {
    "太大": bomb(),
    "超过一亿": bomb(14_000, b"size\0 first"),
    "动画": animated(),
    "损坏": sealing.png()[:600],
    "不是透明底": sealing.png(ground=(250, 240, 90, 255)),
    "不清楚": sealing.png((90, 90)),
    "太细长": sealing.png((1600, 300)),
    "须是 PNG 或 SVG": b"\xff\xd8\xff\xe0JFIF",
    "脚本": sealing.svg("<script>alert(1)</script>" + RING),
    "事件": sealing.svg('<circle r="9" onclick="x()"/>'),
    "链接或外部引用": sealing.svg('<rect width="9" height="9" fill="url(http://a.test/x)"/>'),
    "嵌入的图片": sealing.svg('<image href="http://a.test/x.png"/>'),
    "DTD": sealing.svg(RING, ENTITY),
    "转曲": sealing.svg("<text>邢台</text>"),
    "底色": sealing.svg('<rect width="100" height="100" fill="#fff"/>' + RING),
    "嵌套": sealing.svg("<g>" * 2_000 + RING + "</g>" * 2_000),
    "看不到印章": sealing.svg(""),
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_picture_that_will_not_do_is_refused_in_words(words: str) -> None:
    with pytest.raises(FileUnreadable, match=words):
        read_picture(REFUSED[words])


def test_a_white_ground_becomes_transparent_and_the_ink_stays() -> None:
    made = read_picture(sealing.png(ground=(255, 255, 255, 255)))
    picture = Image.open(io.BytesIO(made.content))
    assert made.cleared and picture.mode == "RGBA"
    assert picture.getpixel((picture.width // 2, picture.height // 2))[3] == 0  # type: ignore[index]
    paper = Image.new("RGBA", picture.size, "white")
    inked = Image.alpha_composite(paper, picture).getpixel((picture.width // 2, 5))
    assert (
        isinstance(inked, tuple)
        and max(abs(a - b) for a, b in zip(inked, (220, 20, 20, 255), strict=True)) <= 2
    )


def test_white_ink_hides_nothing_on_the_ground_of_a_certificate() -> None:
    picture = Image.new("RGBA", (800, 800), (255, 255, 255, 255))
    for at in ((0, 0), (1, 0), (0, 1)):
        picture.putpixel(at, (0, 0, 0, 0))
    picture.paste((220, 20, 20, 255), (250, 250, 550, 550))
    saved = io.BytesIO()
    picture.save(saved, "PNG")
    drawn = (
        '<rect x="5" y="5" width="90" height="90" fill="#fff"/><circle cx="50" cy="50" r="40" fill="#d11"/>'
    )
    for content in (saved.getvalue(), sealing.svg(drawn)):
        made = Image.open(io.BytesIO(read_picture(content).content)).convert("RGBA")
        clear = [made.getpixel((x, y)) for x in (2, made.width - 3) for y in (2, made.height - 3)]
        assert all(isinstance(one, tuple) and (one[3] == 0 or one[0] > 150 > one[1]) for one in clear), clear


def test_what_is_reviewed_of_a_drawing_is_what_is_printed_whatever_a_browser_makes_of_it() -> None:
    """A browser does not show the second ring: the program that prints certificates does."""
    hidden = '<circle cx="50" cy="50" r="20" fill="#22d" style="clip-path:circle(0)"/>'
    noted = '<title>t</title><g xmlns:i="urn:ink" i:label="x"><i:view/>' + RING + hidden + "</g>"
    for content in (sealing.svg(noted), sealing.svg(noted).decode().encode("utf-16")):
        made = read_picture(content)
        picture = Image.open(io.BytesIO(made.content))
        assert (made.media_type, picture.format, picture.mode) == ("image/png", "PNG", "RGBA")
        assert picture.width == picture.height and 800 < picture.width <= 1_000
        on_paper = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        seen = on_paper.getpixel((picture.width // 2, picture.height // 2))
        assert isinstance(seen, tuple)
        assert max(abs(a - b) for a, b in zip(seen, (0x22, 0x22, 0xDD, 255), strict=True)) <= 2


async def test_a_bomb_is_refused_in_a_process_of_its_own_and_nothing_is_stored(platform: Platform) -> None:
    with pytest.raises(FileUnreadable, match="太大"):
        await filing.file(platform, XINGTAI, cast.XINGTAI, bomb())
    assert await platform["seals"].count_documents({}) == 0


# ---- its review


async def test_a_seal_is_pressed_once_its_province_has_approved_it_and_the_version_before_is_kept(
    platform: Platform,
) -> None:
    first = await filed(platform)
    assert await service.seal_in_force(platform, cast.XINGTAI) is None
    [line] = await waits(platform, HEBEI, Seal)
    assert line.count == 1
    await filing.approve(platform, HEBEI, first.id, seen(first))
    pressed = await service.seal_in_force(platform, cast.XINGTAI)
    assert pressed and (pressed.id, pressed.media_type) == (first.id, "image/png")

    second = await filing.file(platform, XINGTAI, cast.XINGTAI, sealing.svg())
    assert second.version == 2
    await filing.approve(platform, HEBEI, second.id, seen(second))
    pressed = await service.seal_in_force(platform, cast.XINGTAI)
    assert pressed and pressed.id == second.id
    kept = await service.seal_of_version(platform, first.id)
    assert kept and kept.content == first.content

    retired = await filing.retire(platform, XINGTAI, second.id, Retirement(reason="公章更换"))
    assert not retired.in_force and await service.seal_in_force(platform, cast.XINGTAI) is None
    with pytest.raises(NotInThisState):
        await filing.retire(platform, XINGTAI, second.id, Retirement(reason="公章更换"))


async def test_a_seal_that_is_returned_or_withdrawn_leaves_room_for_the_next(platform: Platform) -> None:
    first = await filed(platform)
    with pytest.raises(AlreadyFiled):
        await filed(platform)
    await filing.send_back(platform, HEBEI, first.id, Return(seen=1, reason=WHY))
    [told] = await office_inbox.inbox(platform, XINGTAI, InboxFilter(), limit=9)
    assert WHY in told.words and told.href == first.address
    second = await filed(platform)
    await filing.withdraw(platform, XINGTAI, second.id)
    both = await asyncio.gather(*(filed(platform) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(one, Seal) for one in both) == 1


async def test_a_seal_is_reviewed_by_its_own_province_and_never_by_its_institution(
    platform: Platform,
) -> None:
    found = await filed(platform)
    with pytest.raises(NotYours):
        await filing.approve(platform, XINGTAI, found.id, seen(found))
    for stranger in (JIANGSU, CHANGZHOU):
        with pytest.raises(NotFound):
            await filing.approve(platform, stranger, found.id, seen(found))
    with pytest.raises(NotFound):
        await filing.file(platform, CHANGZHOU, cast.XINGTAI, sealing.png())
