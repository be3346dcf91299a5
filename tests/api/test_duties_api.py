"""A teacher's year and follow-up guidance over HTTP, as the phones of teacher and trainee call it."""

from __future__ import annotations

from typing import Any

import pytest

from server.backbone.rules import PoolStatus
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform
from server.surveys import tallies as survey_tallies
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.dutiful import class_in_session, class_that_is_over, logged, rated
from tests.reviewing import set_status
from tests.stage import ClassInSession

YEAR = {
    "year": 2026,
    "standing": "OWING",
    "standing_title": "尚欠授课任务",
    "required": 2,
    "teaching_done": 1,
    "teaching_planned": 0,
    "missing": 1,
    "assessment_done": 0,
    "assessment_planned": 0,
    "satisfaction": None,
    "guidance": {"confirmed": 0, "waiting": 0, "disputed": 0},
}


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await class_that_is_over(platform, wechat, trainees=2)


def body(held: ClassInSession, **changes: object) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "class_id": held.id,
        "trainee_id": held.trainees[0].actor.id,
        "given_on": "2026-04-02",
        "way": "VISIT",
        "about": "到校听课，一起修改学习任务设计。",
        "minutes": 120,
        "nonce": "a-nonce-1",
    }
    return sent | changes


async def test_a_teacher_sees_the_own_year(site: str, held: ClassInSession) -> None:
    mine = await call(site, "GET", "/teaching/duties", token=held.teacher.token)
    assert mine.status == 200, mine.body
    [task] = mine.json["tasks"]
    assert {name: mine.json[name] for name in YEAR} == YEAR
    assert (task["class_id"], task["kind_title"], task["done"]) == (held.id, "授课", True)
    before = await call(site, "GET", "/teaching/duties?year=2025", token=held.teacher.token)
    assert (before.json["standing"], before.json["required"], before.json["tasks"]) == ("NOTHING_OWED", 0, [])
    for year in ("2021", "2101", "x"):
        refused = await call(site, "GET", f"/teaching/duties?year={year}", token=held.teacher.token)
        assert (refused.status, refused.problem) == (422, "invalid")


async def test_the_mean_of_the_year_comes_with_the_number_of_answers(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await class_in_session(platform, wechat, trainees=5)
    await rated(platform, held, 2)
    await survey_tallies.tally_closed(platform)
    told = (await call(site, "GET", "/teaching/duties", token=held.teacher.token)).json["satisfaction"]
    assert told == {"mean": 2.0, "answers": 20, "counts": {"3": 0, "2": 20, "1": 0}, "meets_mark": True}


async def test_guidance_goes_from_the_teacher_to_the_trainee_and_is_confirmed(
    site: str, held: ClassInSession
) -> None:
    teacher, trainee = held.teacher.token, held.trainees[0].token
    first = await call(site, "POST", "/teaching/guidance", token=teacher, body=body(held))
    again = await call(site, "POST", "/teaching/guidance", token=teacher, body=body(held))
    assert (first.status, again.status) == (201, 200) and first.json == again.json
    assert (first.json["state_title"], first.json["way_title"]) == ("待学员确认", "到校")
    assert (await call(site, "GET", "/me", token=trainee)).json["waiting"]["guidance"] == 1
    received = await call(site, "GET", "/guidance", token=trainee)
    assert received.json == {"items": [first.json], "next": None}
    path = f"/guidance/{first.json['id']}"
    confirmed = await call(site, "POST", f"{path}/confirm", token=trainee)
    repeated = await call(site, "POST", f"{path}/confirm", token=trainee)
    assert confirmed.status == 200 and confirmed.json == repeated.json
    assert confirmed.json["state"] == "CONFIRMED"
    too_late = await call(site, "POST", f"{path}/dispute", token=trainee, body={"reason": "没有这回事"})
    assert (too_late.status, too_late.problem) == (409, "guidance-settled")
    given = await call(site, "GET", "/teaching/guidance", token=teacher)
    assert [one["state"] for one in given.json["items"]] == ["CONFIRMED"]
    assert (await call(site, "GET", "/me", token=trainee)).json["waiting"]["guidance"] == 0
    year = await call(site, "GET", "/teaching/duties", token=teacher)
    assert year.json["guidance"] == {"confirmed": 1, "waiting": 0, "disputed": 0}


async def test_a_dispute_says_why_and_reaches_the_teachers_inbox(
    platform: Platform, site: str, held: ClassInSession
) -> None:
    guidance = await logged(platform, held)
    path = f"/guidance/{guidance.id}/dispute"
    trainee = held.trainees[0].token
    for wrong in ({}, {"reason": " "}, {"reason": "无" * 501}):
        refused = await call(site, "POST", path, token=trainee, body=wrong)
        assert (refused.status, refused.problem) == (422, "invalid")
    answer = await call(site, "POST", path, token=trainee, body={"reason": "当天没有接到电话"})
    assert (answer.status, answer.json["state"], answer.json["objection"]) == (
        200,
        "DISPUTED",
        "当天没有接到电话",
    )
    [row] = await platform["outbox"].find({"template": "guidance-disputed"}).to_list(None)
    assert row["person_id"] == held.teacher.actor.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"given_on": "2026-03-27"},
        {"given_on": "2026-04-04"},
        {"given_on": "yesterday"},
        {"given_on": 20_000},
        {"way": "PIGEON"},
        {"about": "短"},
        {"about": "长" * 501},
        {"minutes": 4},
        {"minutes": 481},
        {"nonce": "short"},
        {"more": 1},
    ],
)
async def test_what_does_not_fit_is_refused_with_its_place(
    site: str, held: ClassInSession, wrong: dict[str, object]
) -> None:
    refused = await call(
        site, "POST", "/teaching/guidance", token=held.teacher.token, body=body(held, **wrong)
    )
    assert (refused.status, refused.problem) == (422, "invalid")
    assert [one["place"] for one in refused.json["errors"]] == list(wrong)


async def test_neither_a_teacher_of_another_class_nor_another_trainee_gets_in(
    platform: Platform, wechat: Simulator, site: str, held: ClassInSession
) -> None:
    guidance = await logged(platform, held)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    sent = await call(site, "POST", "/teaching/guidance", token=other.token, body=body(held))
    assert (sent.status, sent.problem) == (404, "not-found")
    for phone in (other, held.trainees[1]):
        for word, said in (("confirm", None), ("dispute", {"reason": "没有这回事"})):
            refused = await call(
                site, "POST", f"/guidance/{guidance.id}/{word}", token=phone.token, body=said
            )
            assert (refused.status, refused.problem) == (404, "not-found")
    nobody = await call(site, "GET", "/teaching/duties", token=held.trainees[1].token)
    assert (nobody.status, nobody.problem) == (404, "not-found")


@pytest.mark.parametrize("status", [PoolStatus.SUSPENDED, PoolStatus.CANCELLED])
async def test_who_is_suspended_or_cancelled_still_reads_the_own_year_and_logs_nothing(
    platform: Platform, site: str, held: ClassInSession, status: PoolStatus
) -> None:
    await logged(platform, held)
    token, today = held.teacher.token, beijing_date(platform.clock.now())
    await set_status(platform, stage.actor(cast.CENTRE), held.teacher.actor.id, status, today)
    mine = await call(site, "GET", "/teaching/duties", token=token)
    assert (mine.status, mine.json["teaching_done"]) == (200, 1)
    assert len((await call(site, "GET", "/teaching/guidance", token=token)).json["items"]) == 1
    refused = await call(site, "POST", "/teaching/guidance", token=token, body=body(held, nonce="another-1"))
    assert (refused.status, refused.problem) == (403, "forbidden")


async def test_lists_are_paged_by_cursor(platform: Platform, site: str, held: ClassInSession) -> None:
    for number in range(3):
        await logged(platform, held, number)
    for path, token in (("/teaching/guidance", held.teacher.token), ("/guidance", held.trainees[0].token)):
        first = (await call(site, "GET", f"{path}?limit=2", token=token)).json
        rest = (await call(site, "GET", f"{path}?limit=2&cursor={first['next']}", token=token)).json
        assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
