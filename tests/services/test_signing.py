"""Certificates are signed so that any later change shows, to our own check and to tools that are not ours (articles 17 and 18)."""

from __future__ import annotations

import shutil
import sys

import typst

from server.kernel.platform import Platform
from server.seals import service as seals
from server.seals.checker import check_pdf
from server.seals.signer import SigningMaterial, sign
from tests import cast

PDFSIG = shutil.which("pdfsig") or shutil.which("pdfsig", path=f"{sys.prefix}/poppler/usr/bin")
XINGTAI = cast.XINGTAI
PAGE = (
    '#set document(title: [证书], date: datetime(year: 2026, month: 3, day: 16))\n#set text(lang: "zh")\n= {}'
)


def drawn(words: str = "certificate") -> bytes:
    return typst.compile(PAGE.format(words).encode(), format="pdf", pdf_standards="a-2u")


def signed(material: SigningMaterial, words: str = "certificate") -> bytes:
    return sign(drawn(words), material, reason="核发培训合格证书", place="河北省").pdf


async def test_what_the_platform_signs_for_an_institution_is_intact_ours_and_named_as_the_platforms(
    platform: Platform,
) -> None:
    material = await seals.material(platform, XINGTAI)
    assert material == await seals.material(platform, XINGTAI)  # one key, kept
    assert not material.own_key and "平台代签" in material.signed_by
    done = sign(drawn(), material, reason="核发培训合格证书", place="河北省")
    found = await check_pdf(platform, done.pdf)
    assert found.intact and found.institution_code == XINGTAI and not found.own_key
    assert not (done.timestamped or found.timestamped)
    assert b"pdfaid" in done.pdf and done.pdf.startswith(drawn()[:64])
