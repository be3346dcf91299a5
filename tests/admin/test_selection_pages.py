"""The selection of backbone teachers over HTTP: the province's form, the centre's review, the class and the list (articles 7 and 9)."""

from __future__ import annotations

import re

import pytest

from server.kernel.platform import Platform
from server.selection import service as selection
from server.selection.rules import State
from tests import cast
from tests.admin.browserless import Browser, Form, sign_in
from tests.assessing import PDF
from tests.printed import text_of
from tests.selecting import (
    CHANGZHOU,
    HEBEI,
    SERVED,
    accepted,
    backbone_class,
    certified,
    drafted,
    enrolled,
    submitted,
    through,
)

SECOND = cast.person(32)


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


@pytest.fixture
async def hebei(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.HEBEI_OFFICER)


@pytest.fixture
async def changzhou(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CHANGZHOU_OFFICER)


def form(**changes: str) -> Form:
    filled: dict[str, str] = {
        "name": SERVED.name,
        "id_number": SERVED.id_number,
        "work_unit": SERVED.unit,
        "major": "01",
        "years_of_teaching": "12",
        "post": "高级讲师",
        "opinion": "师德良好，工学一体化课程教学经验丰富，同意推荐。",
    }
    return {**filled, **changes}


async def test_a_province_recommends_from_the_form_to_the_centre(platform: Platform, hebei: Browser) -> None:
    assert "还没有推荐" in (await hebei.get("/admin/selection")).text
    assert "教龄不少于 5 年" in (await hebei.get("/admin/selection/new")).text
    saved = await hebei.post("/admin/selection/new", form())
    page = await hebei.get(saved.location)
    assert "草稿已保存" in page.text and SERVED.name in page.text
    assert SERVED.id_number not in page.text
    refused = await hebei.post(saved.location + "/submit")
    assert refused.status == 422 and "请上传推荐材料" in refused.text
    nothing = await hebei.post(saved.location + "/papers")
    assert nothing.status == 422 and "请先选择文件" in nothing.text
    odd = await hebei.upload(saved.location + "/papers", "paper", "推荐表.pdf", b"#!/bin/sh")
    assert odd.status == 415
    assert (await hebei.upload(saved.location + "/papers", "paper", "推荐表.pdf", PDF)).status == 303
    assert (await hebei.post(saved.location + "/submit")).status == 303
    assert "待审核" in (await hebei.get(saved.location)).text


async def test_what_is_wrong_in_the_form_is_said_at_its_field_and_what_was_typed_stays(
    hebei: Browser,
) -> None:
    refused = await hebei.post("/admin/selection/new", form(opinion="好", major="99", years_of_teaching="x"))
    assert refused.status == 422
    assert "推荐意见" in refused.text and SERVED.unit in refused.html


async def test_the_centre_reviews_and_the_province_sees_why_it_was_returned(
    platform: Platform, hebei: Browser, centre: Browser
) -> None:
    found = await submitted(platform)
    home = f"/admin/selection/{found.id}"
    assert SERVED.name in (await centre.get("/admin/selection?state=SUBMITTED")).text
    page = await centre.get(home)
    assert "推荐表.pdf" in page.text and "列为候选" in page.text
    seen = {"seen": str(len(found.history))}
    empty = await centre.post(home + "/return", {**seen})
    assert empty.status == 422 and "退回理由" in empty.text
    assert (await centre.post(home + "/return", {**seen, "reason": "推荐表没有盖章"})).status == 303
    assert "推荐表没有盖章" in (await hebei.get(home)).text
    amended = await hebei.post(home + "/amend", {**form(post="讲师"), "seen": str(len(found.history) + 1)})
    assert amended.status == 303
    assert (await hebei.post(home + "/submit")).status == 303
    stale = await centre.post(home + "/accept", seen)
    assert stale.status == 409 and "又有了新的办理" in stale.text
    accepted_now = await centre.post(home + "/accept", {"seen": str(len(found.history) + 3)})
    assert accepted_now.status == 303
    assert "推荐人数" in (await hebei.get("/admin/selection")).text
    assert "各省推荐人数" in (await centre.get("/admin/selection")).text


async def test_a_province_uploads_takes_off_and_withdraws(platform: Platform, hebei: Browser) -> None:
    found = await drafted(platform)
    home = f"/admin/selection/{found.id}"
    paper = await hebei.get(f"{home}/papers/{found.papers[0].id}")
    assert paper.status == 200 and paper.text.startswith("%PDF")
    assert (await hebei.post(f"{home}/papers/{found.papers[0].id}/remove")).status == 303
    assert (await hebei.post(home + "/withdraw", {"reason": "本人放弃"})).status == 303
    assert "已撤回" in (await hebei.get(home)).text


async def test_a_training_centre_takes_candidates_into_its_class(
    platform: Platform, changzhou: Browser
) -> None:
    assert "目前没有候选人" in (await changzhou.get("/admin/selection/candidates")).text
    chosen = await accepted(platform)
    assert "还没有可以编入的骨干班" in (await changzhou.get("/admin/selection/candidates")).text
    held = await backbone_class(platform, CHANGZHOU, places=5)
    page = await changzhou.get("/admin/selection/candidates")
    assert SERVED.name in page.text and SERVED.id_number not in page.text
    refused = await changzhou.post("/admin/selection/candidates", {"class_id": held.id})
    assert refused.status == 422
    done = await changzhou.post(
        "/admin/selection/candidates", {"class_id": held.id, "nominee_ids": [chosen.id]}
    )
    assert done.location == f"/admin/selection/classes/{held.id}"
    page = await changzhou.get(done.location)
    assert SERVED.name in page.text and "河北" in page.text
    assert (await changzhou.post(f"{done.location}/{chosen.id}/release", {})).status == 422
    released = await changzhou.post(f"{done.location}/{chosen.id}/release", {"reason": "本人因病不能参加"})
    assert released.status == 303
    assert (await selection.nominee(platform, HEBEI, chosen.id)).state is State.ACCEPTED


async def test_the_list_is_reported_and_registered_with_a_decision_to_print(
    platform: Platform, site: str
) -> None:
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, [await accepted(platform, one) for one in (SERVED, SECOND)])
    await certified(platform, held)
    changzhou = await sign_in(platform, site, cast.CHANGZHOU_OFFICER)
    centre = await sign_in(platform, site, cast.CENTRE)
    home = f"/admin/selection/classes/{held.id}"
    assert "将报送 2 名" in (await changzhou.get(home)).text
    sent = await changzhou.post(home + "/report", {"note": "两名教师全部合格"})
    assert (await changzhou.get(sent.location)).status == 200
    again = await changzhou.post(home + "/report", {})
    assert again.status == 409 and "已有待登记的名单" in again.text
    page = await centre.get(sent.location)
    assert SERVED.name in page.text and "登记入库" in page.text and SERVED.id_number not in page.text
    early = await centre.post(
        sent.location + "/register", {"number": "部指〔2026〕1号", "decided_on": "2026-01-01", "seen": "1"}
    )
    assert early.status == 422 and "决定日期应在名单报送" in early.text
    done = await centre.post(
        sent.location + "/register", {"number": "部指〔2026〕1号", "decided_on": "2026-04-03", "seen": "1"}
    )
    assert done.status == 303
    assert "本次登记" in (await centre.get(sent.location)).text
    assert "部指〔2026〕1号" in (await changzhou.get(sent.location)).text
    assert "已登记入库" in (await centre.get("/admin/selection/lists")).text


async def test_a_returned_list_is_reported_again(platform: Platform, site: str) -> None:
    _, new = await through(platform, [SERVED])
    changzhou = await sign_in(platform, site, cast.CHANGZHOU_OFFICER)
    centre = await sign_in(platform, site, cast.CENTRE)
    home = f"/admin/selection/lists/{new.id}"
    assert (await centre.post(home + "/return", {"seen": "1"})).status == 422
    assert (await centre.post(home + "/return", {"seen": "1", "reason": "请核对工作单位"})).status == 303
    assert "请核对工作单位" in (await changzhou.get(home)).text
    assert "被退回的合格教师名单" in (await changzhou.get("/admin")).text
    assert (await changzhou.post(home + "/resubmit", {"note": "已核对"})).status == 303
    assert "待登记入库的合格教师名单" in (await centre.get("/admin")).text


async def test_the_decision_prints_everybody_with_masked_numbers(platform: Platform, site: str) -> None:
    _, new = await through(platform, [SERVED, SECOND])
    centre = await sign_in(platform, site, cast.CENTRE)
    home = f"/admin/selection/lists/{new.id}"
    assert (await centre.get(home + "/decision.pdf")).status == 404
    await centre.post(
        home + "/register", {"number": "部指〔2026〕1号", "decided_on": "2026-04-03", "seen": "1"}
    )
    words = re.sub(r"\s", "", text_of((await centre.get(home + "/decision.pdf")).body))
    for one in (SERVED, SECOND):
        assert one.name in words and one.id_number not in words
    assert "部指〔2026〕1号" in words and "2名合格教师登记入骨干教师库" in words
    assert new.passed[0].certificate_number in words
