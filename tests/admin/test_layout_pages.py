"""The pages of 证书样式, over HTTP."""

import io
from datetime import date

import pypdf
from PIL import Image

from server.institutions.rules import Level
from server.kernel.platform import Platform
from server.layouts import service
from tests import cast
from tests.admin.browserless import Form, sign_in

TOMORROW = date(2026, 3, 17)
STYLE: Form = {"ornament": "lines", "frame_colour": "#123A6B", "title_size": "40", "overprint_right": "1.5"}


async def test_the_centre_previews_a_layout_before_it_sets_it_and_takes_it_back(
    platform: Platform, site: str
) -> None:
    centre = await sign_in(platform, site, cast.CENTRE)
    shown = await centre.save("/admin/layouts/2/add", {**STYLE, "preview": "yes"}, page="/admin/layouts/2")
    assert shown.status == 200 and "尚未核定" in shown.text and 'value="40"' in shown.html
    assert (await service.of_level(platform, Level.TWO)).versions == []
    query = shown.html.partition("/preview.jpg?")[2].partition('"')[0].replace("&amp;", "&")
    drawn = await centre.get(f"/admin/layouts/2/preview.jpg?{query}")
    with Image.open(io.BytesIO(drawn.body)) as picture:
        assert picture.size == (1400, 990)
    assert drawn.body != (await centre.get("/admin/layouts/2/preview.jpg?version=0")).body

    setting: Form = {**STYLE, "effective_from": TOMORROW.isoformat(), "reason": "依据样证修订"}
    refused = await centre.save(
        "/admin/layouts/2/add", {**setting, "frame_colour": "#ffeeee"}, page="/admin/layouts/2"
    )
    assert refused.status == 422 and "颜色太浅" in refused.text
    await centre.save("/admin/layouts/2/add", setting, page="/admin/layouts/2")
    kept = await service.in_force(platform, Level.TWO, TOMORROW)
    assert kept is not None and (kept.style.frame_colour, kept.style.title_size) == ("#123a6b", 40)
    assert "第 1 版 2026-03-17 起" in (await centre.get("/admin/layouts")).text
    assert (await centre.post("/admin/layouts/2/take-back", {"version": "1"})).status == 303
    assert (await service.of_level(platform, Level.TWO)).versions == []


async def test_an_institution_calibrates_its_printer_and_sets_no_layout(
    platform: Platform, site: str
) -> None:
    base = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    await base.save("/admin/layouts/printer", {"right": "1.5", "down": "-0.5"}, page="/admin/layouts")
    page = await base.get("/admin/layouts/calibration.pdf")
    [sheet] = pypdf.PdfReader(io.BytesIO(page.body)).pages
    assert "右移 1.5 毫米、下移 -0.5 毫米" in sheet.extract_text().replace("\n", "").replace("−", "-")
    assert "核定新的样式" not in (await base.get("/admin/layouts/2")).text
    form = pypdf.PdfReader(io.BytesIO((await base.get("/admin/layouts/2/form.pdf")).body))
    assert "合格证书" in form.pages[0].extract_text()
