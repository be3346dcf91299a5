"""Long lists: prepared by the scheduled work, for whoever asked and nobody else, whole, and gone after their days."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import openpyxl
import pytest

from admin import lists
from server.exports import service as exports
from server.exports.documents import State
from server.kernel import offices
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from tests import cast
from tests.admin.browserless import Browser, enter, sign_in

LIST = "/admin/institutions/export?kind=TRAINING_BASE"


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 10)


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


async def test_a_long_list_is_prepared_whole_for_its_owner_who_hears_of_it(
    platform: Platform, site: str, clock: FixedClock, centre: Browser
) -> None:
    begun = await centre.get(LIST)
    assert begun.status == 303 and begun.location.startswith("/admin/exports/")
    assert "正在准备" in (await centre.get(begun.location)).text
    assert (await centre.get(LIST)).location == begun.location, "asked for twice, prepared once"
    assert (await centre.get("/admin/institutions/export")).status == 409, "another one waits for its turn"
    assert (await centre.get(f"{begun.location}/file")).status == 404

    assert await exports.prepare_waiting(platform) == {"准备导出": 1}
    ready = (await centre.get(begun.location)).text
    file = await centre.get(f"{begun.location}/file")
    head, *rows = openpyxl.load_workbook(BytesIO(file.body)).worksheets[0].values
    shown = (await centre.get("/admin/institutions?kind=TRAINING_BASE")).html
    assert len(rows) > 40 and all(str(row[1]) in shown for row in rows), "narrowed as it was"
    assert f"{len(rows)} 行" in ready and head[0] == "机构号"
    told = await platform["office_messages"].find_one({"topic": offices.Topic.READY})
    assert told is not None and told["href"] == begun.location
    assert (await centre.get(LIST)).location == begun.location, "it is still new"
    noted = await platform["audit"].distinct("action", {"action": {"$regex": "^exports:"}})
    assert noted == ["exports:begin", "exports:prepare", "exports:take"]

    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert (await province.get(begun.location)).status == 404
    assert (await province.get(f"{begun.location}/file")).status == 404

    clock.advance(timedelta(days=8))
    assert await exports.forget(platform) == {"删除导出文件": 1}
    assert await platform["files.chunks"].count_documents({}) == 0
    await enter(platform, centre, cast.CENTRE)
    assert (await centre.get(f"{begun.location}/file")).status == 404


async def test_what_a_dead_run_left_is_begun_anew_and_given_up_after_three(
    platform: Platform, centre: Browser, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "KEPT_MOST", 1)
    begun = (await centre.get(LIST)).location.rpartition("/")[2]
    half = platform.files.create("half", {})
    await half.write(b"0" * 300_000)  # the process died after that
    await platform["exports"].update_one({"_id": begun}, {"$set": {"file_id": half.id, "attempts": 1}})
    assert await exports.prepare_waiting(platform) == {"准备导出": 1}
    assert await platform["files.chunks"].count_documents({"files_id": half.id}) == 0

    clock.advance(exports.STILL_NEW)
    again = (await centre.get(LIST)).location
    await platform["exports"].update_one({"_id": again.rpartition("/")[2]}, {"$set": {"attempts": 3}})
    assert await exports.prepare_waiting(platform) == {"准备导出": 0}
    assert "多次中断" in (await centre.get(again)).text

    third = (await centre.get(LIST)).location
    assert await exports.prepare_waiting(platform) == {"准备导出": 1}
    assert (await centre.get(third)).status == 200
    assert (await centre.get(f"/admin/exports/{begun}")).status == 404, "the oldest has made room"
    assert len(await platform["files.chunks"].distinct("files_id")) == 1
    clock.advance(exports.STILL_NEW)

    lost = (await centre.get(LIST)).location
    await platform["accounts"].update_one(
        {"username": cast.CENTRE.username}, {"$set": {"deactivated_at": platform.clock.now()}}
    )
    await exports.prepare_waiting(platform)
    row = await platform["exports"].find_one({"_id": lost.rpartition("/")[2]})
    assert row is not None and row["state"] == State.FAILED and "权限" in row["error"]


@pytest.mark.parametrize("site_led_from", ["cross-site", "same-site"])
async def test_no_other_site_has_a_list_or_a_file_taken_along_under_somebodys_name(
    platform: Platform, centre: Browser, site_led_from: str
) -> None:
    elsewhere = {"Sec-Fetch-Site": site_led_from}
    for address in ("/admin/people/export", "/admin/accounts/batches/template"):
        refused = await centre.get(address, **elsewhere)
        assert refused.status == 403 and "其他网站" in refused.text, address
    assert await platform["audit"].count_documents({"action": {"$regex": "^exports:"}}) == 0
    assert (await centre.get("/admin/people/export", **{"Sec-Fetch-Site": "same-origin"})).status == 200
