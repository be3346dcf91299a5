"""Certificates of the ledger as sheets to be drawn: with the number in clear, the seal and the layout of their day."""

from __future__ import annotations

from collections.abc import Sequence

from server.certificates import sealed
from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.certificates.render import RenderFailed, Sheet
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.layouts import service as layouts
from server.seals import service as seals


class LookChanged(RenderFailed):
    slug = "certificate-look-changed"
    title = "样式或印章与取号时不符"
    default_detail = (
        "这张证书取号时用的样式或印章后来被改动过，没有打印。请联系平台管理员，从备份中恢复后再试。"
    )


async def sheets_of(platform: Platform, certificates: Sequence[Certificate]) -> list[Sheet]:
    """In their order. Whoever asks has fetched and authorised them. Raises RenderFailed when what one was issued in is not there, or not
    as it was."""
    id_numbers = await platform.vault.decrypt([one.printed.id_number for one in certificates])
    of_layout = await layouts.of_ids(
        platform, {one.printed.layout for one in certificates if one.printed.layout}
    )
    of_seal = {
        seal_id: await seals.seal_of_version(platform, seal_id)
        for seal_id in sorted({one.printed.seal for one in certificates if one.printed.seal})
    }
    sheets = []
    for one, id_number in zip(certificates, id_numbers, strict=True):
        layout = of_layout.get(one.printed.layout or "")
        seal = of_seal.get(one.printed.seal or "")
        if bool(one.printed.layout) != bool(layout) or bool(one.printed.seal) != bool(seal):
            raise RenderFailed("找不到核发这张证书时用的样式或印章，没有打印。请联系平台管理员核对。")
        if one.printed.look and one.printed.look != sealed.look_of(layout, seal):
            raise LookChanged()
        sheets.append(
            Sheet(
                one.printed.opened(id_number),
                verify_url(platform, one.token),
                seal.content if seal else None,
                seal.media_type if seal else "",
                layout,
            )
        )
    return sheets


async def look_now(scope: Scope, layout_id: str, seal_id: str) -> str:
    """What a certificate would be drawn with now (certificates.sealed.look_of)."""
    layout = (await layouts.of_ids(scope, {layout_id})).get(layout_id) if layout_id else None
    return sealed.look_of(layout, await seals.seal_of_version(scope, seal_id) if seal_id else None)


async def sheet_of(platform: Platform, certificate: Certificate) -> Sheet:
    [sheet] = await sheets_of(platform, [certificate])
    return sheet
