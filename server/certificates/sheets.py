"""Certificates of the ledger as sheets to be drawn: with the number in clear, the seal and the layout of their day."""

from __future__ import annotations

from collections.abc import Sequence

from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.certificates.render import Sheet
from server.kernel.platform import Platform
from server.layouts import service as layouts


async def sheets_of(platform: Platform, certificates: Sequence[Certificate]) -> list[Sheet]:
    """In their order. Whoever asks has fetched and authorised them."""
    id_numbers = await platform.vault.decrypt([one.printed.id_number for one in certificates])
    of_layout = await layouts.of_ids(
        platform, {one.printed.layout for one in certificates if one.printed.layout}
    )
    return [
        Sheet(
            one.printed.opened(id_number),
            verify_url(platform, one.token),
            layout=of_layout[one.printed.layout] if one.printed.layout else None,
        )
        for one, id_number in zip(certificates, id_numbers, strict=True)
    ]


async def sheet_of(platform: Platform, certificate: Certificate) -> Sheet:
    [sheet] = await sheets_of(platform, [certificate])
    return sheet
