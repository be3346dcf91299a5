"""Dynamic management over HTTP, as the phone of a backbone teacher sees it."""

from __future__ import annotations

from datetime import date, timedelta

from server.backbone.rules import PoolStatus
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.qualification import review, service
from server.qualification.rules import Outcome
from server.qualification.service import DecisionDraft
from server.wechat.simulator import Simulator
from tests import cast, reviewing, stage
from tests.api.client import call
from tests.printed import text_of
from tests.reviewing import CENTRE, TODAY

SAID = {"text": "去年因病住院，附有证明。"}


async def test_a_teacher_reads_the_own_standing_and_warnings(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    await reviewing.registered(platform, date(2024, 5, 1))
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    await review.review(platform)
    shown = await call(site, "GET", "/teaching/qualification", token=teacher.token)
    assert shown.status == 200
    assert {name: shown.json[name] for name in ("status", "idle_since", "two_years_full_on", "cases")} == {
        "status": "ACTIVE",
        "idle_since": "2024-05-01",
        "two_years_full_on": "2026-05-01",
        "cases": [],
    }
    [warning] = shown.json["warnings"]
    assert (warning["grade"], warning["last"], warning["holds"]) == ("THREE_MONTHS", "2026-05-01", True)


async def test_a_statement_may_be_sent_twice(platform: Platform, wechat: Simulator, site: str) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    path = f"/teaching/qualification-cases/{stood.case.id}/statement"
    me = await call(site, "GET", "/me", token=stood.teacher.token)
    assert me.json["waiting"]["statements"] == 1
    first = await call(site, "POST", path, token=stood.teacher.token, body=SAID)
    again = await call(site, "POST", path, token=stood.teacher.token, body=SAID)
    assert first.status == again.status == 200 and first.json == again.json
    assert first.json["state"] == "STATED" and len(first.json["statements"]) == 1
    me = await call(site, "GET", "/me", token=stood.teacher.token)
    assert me.json["waiting"]["statements"] == 0
    shown = await call(site, "GET", "/teaching/qualification", token=stood.teacher.token)
    assert shown.json["cases"] == [first.json]
    assert [fact["title"] for fact in first.json["facts"]][:2] == ["登记入库", "最近一次任务"]


async def test_a_late_statement_says_what_to_do(
    platform: Platform, wechat: Simulator, site: str, clock: FixedClock
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    clock.advance(timedelta(days=16))
    path = f"/teaching/qualification-cases/{stood.case.id}/statement"
    late = await call(site, "POST", path, token=stood.teacher.token, body=SAID)
    assert (late.status, late.problem) == (409, "statement-over") and "联系部指导中心" in late.json["detail"]


async def test_who_has_lost_the_title_still_reads_why_and_fetches_the_paper(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    path = f"/teaching/qualification-cases/{stood.case.id}"
    await call(site, "POST", f"{path}/statement", token=stood.teacher.token, body=SAID)
    wanted = DecisionDraft(outcome=Outcome.CANCELLED, effective_on=TODAY, reason="两年未承担任务。")
    await service.decide(platform, CENTRE, stood.case.id, wanted)
    shown = await call(site, "GET", "/teaching/qualification", token=stood.teacher.token)
    assert shown.status == 200 and shown.json["status"] == PoolStatus.CANCELLED
    [case] = shown.json["cases"]
    [decision] = case["decisions"]
    assert (decision["number"], decision["outcome"], case["may_state"]) == ("2026-0001", "CANCELLED", False)
    paper = await call(site, "GET", f"{path}/decisions/2026-0001/pdf", token=stood.teacher.token)
    assert paper.status == 200 and "决定自2026年3月16日起取消骨干教师资格" in text_of(paper.body)
    none = await call(site, "GET", f"{path}/decisions/2026-0002/pdf", token=stood.teacher.token)
    assert none.status == 404


async def test_nobody_sees_anything_of_another_teacher(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    nobody = await stage.phone(platform, wechat, "openid-nobody")
    path = f"/teaching/qualification-cases/{stood.case.id}"
    for phone in (other, nobody):
        assert (await call(site, "POST", f"{path}/statement", token=phone.token, body=SAID)).status == 404
        assert (await call(site, "GET", f"{path}/decisions/2026-0001/pdf", token=phone.token)).status == 404
    assert (await call(site, "GET", "/teaching/qualification", token=nobody.token)).status == 404
    mine = await call(site, "GET", "/teaching/qualification", token=other.token)
    assert mine.json["cases"] == [] and mine.json["warnings"] == []
