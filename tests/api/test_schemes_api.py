"""The training scheme over the API of the phones."""

from __future__ import annotations

from typing import Any

import pytest

from server.kernel.platform import Platform
from server.schemes import service
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import Answer, call
from tests.api.test_me import NOTHING, waiting
from tests.scheming import PROVINCE, approved, content, draft, moved_class
from tests.stage import ClassInSession


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=1)


async def ask(site: str, held: ClassInSession, method: str, end: str = "", **more: Any) -> Answer:
    token = more.pop("token", held.teacher.token)
    return await call(site, method, f"/teaching/classes/{held.id}/scheme{end}", token=token, **more)


async def test_a_teacher_reads_discusses_and_signs(
    platform: Platform, site: str, held: ClassInSession
) -> None:
    none = await ask(site, held, "GET")
    assert (none.status, none.problem) == (404, "scheme-not-drafted")
    await draft(platform, held)
    await draft(platform, held, materials="讲义第二版")
    read = (await ask(site, held, "GET")).json
    assert (read["version"], read["state"], read["course_hours"]) == (2, "DRAFT", 80)
    assert (len(read["sessions"]), read["version_in_force"], read["shortcomings"]) == (16, None, [])
    assert [(one["section"], one["after"]) for one in read["changes"]] == [("教材教具", "讲义第二版")]
    assert read["tasks"][0]["kind_title"] == "过程性考核"
    said = await ask(site, held, "POST", "/remarks", body={"text": "请加一次实训。", "nonce": "nonce-0001"})
    again = await ask(site, held, "POST", "/remarks", body={"text": "请加一次实训。", "nonce": "nonce-0001"})
    other = await ask(site, held, "POST", "/remarks", body={"text": "请减一次实训。", "nonce": "nonce-0001"})
    assert (other.status, other.problem) == (409, "nonce-reused")
    assert said.status == again.status == 201 and said.json == again.json
    early = await ask(site, held, "POST", "/signature", body={"version": 2})
    assert (early.status, early.problem) == (409, "scheme-not-in-state")

    await service.send_for_signature(platform, held.officer, held.id, 2)
    assert await waiting(site, held.teacher) == NOTHING | {"signatures": 1}
    signed = await ask(site, held, "POST", "/signature", body={"version": 2})
    assert (signed.status, signed.json["signed_by_me"]) == (201, True)
    assert await waiting(site, held.teacher) == NOTHING
    assert signed.json["signatures"][0]["signed_at"] is not None
    assert [one["text"] for one in signed.json["remarks"]] == ["请加一次实训。"]
    repeated = await ask(site, held, "POST", "/signature", body={"version": 2})
    assert (repeated.status, repeated.json) == (200, signed.json)


def sent(held: ClassInSession, based_on: int, **changes: object) -> dict[str, Any]:
    """The scheme as a phone sends it."""
    made = content(held.teacher.actor.id, **changes).model_dump(mode="json", exclude={"formative_weight"})
    return made | {"based_on": based_on}


async def test_a_teacher_changes_the_scheme(platform: Platform, site: str, held: ClassInSession) -> None:
    await draft(platform, held)
    wanted = sent(held, 1, materials="讲义第二版")
    changed = await ask(site, held, "PUT", body=wanted)
    assert changed.status == 200, changed.json
    assert (changed.json["version"], changed.json["saved_by_teacher"]) == (2, True)
    assert [(one["version"], one["saved_by"]) for one in changed.json["versions"]] == [
        (2, held.teacher.actor.name),
        (1, held.officer.name),
    ]
    assert [(one["section"], one["after"]) for one in changed.json["changes"]] == [("教材教具", "讲义第二版")]
    repeated = await ask(site, held, "PUT", body=wanted)
    assert (repeated.status, repeated.json) == (200, changed.json)
    late = await ask(site, held, "PUT", body=sent(held, 1, objectives="另一个目标"))
    assert (late.status, late.problem) == (409, "scheme-version-outdated")
    assert (late.json["version"], late.json["saved_by"]) == (2, held.teacher.actor.name)


async def test_what_a_phone_sends_is_checked(platform: Platform, site: str, held: ClassInSession) -> None:
    begun = await ask(site, held, "PUT", body=sent(held, 0))
    assert (begun.status, begun.json["version"], begun.json["course_hours"]) == (200, 1, 80)
    row = sent(held, 1)["sessions"][0]
    for wrong in (
        {},
        {"based_on": -1},
        {"based_on": 1, "formative_weight": 100},
        {"based_on": 1, "sessions": [{**row, "starts_at": "0001-01-01T00:00:00+14:00"}]},
        {"based_on": 1, "sessions": [{**row, "starts_at": "2026-03-17T08:30:00"}]},
        {"based_on": 1, "courses": [{"title": "别人的课程", "hours": 8, "teacher_id": "a" * 24}]},
    ):
        refused = await ask(site, held, "PUT", body=wrong)
        assert refused.status == 422, (wrong, refused.json)


async def test_what_is_signed_must_be_what_was_read(
    platform: Platform, site: str, held: ClassInSession
) -> None:
    await draft(platform, held)
    await service.send_for_signature(platform, held.officer, held.id, 1)
    await draft(platform, held, materials="讲义第二版")
    await service.send_for_signature(platform, held.officer, held.id, 2)
    old = await ask(site, held, "POST", "/signature", body={"version": 1})
    assert (old.status, old.problem) == (409, "scheme-version-outdated")
    assert "刷新" in old.json["detail"]
    for wrong in ({}, {"version": 0}, {"version": "x"}, {"version": 2, "more": 1}):
        assert (await ask(site, held, "POST", "/signature", body=wrong)).status == 422


async def test_the_approval_is_told_to_the_teacher(
    platform: Platform, site: str, held: ClassInSession
) -> None:
    await draft(platform, held)
    await service.send_for_signature(platform, held.officer, held.id, 1)
    await ask(site, held, "POST", "/signature", body={"version": 1})
    await service.file(platform, held.officer, held.id, 1)
    await service.approve(platform, PROVINCE, held.id, 1)
    read = (await ask(site, held, "GET")).json
    assert (read["state"], read["version_in_force"]) == ("APPROVED", 1)
    inbox = (await call(site, "GET", "/inbox", token=held.teacher.token)).json["items"]
    assert {"scheme-to-sign", "scheme-approved"} <= {one["kind"] for one in inbox}


async def test_others_are_refused(
    platform: Platform, wechat: Simulator, site: str, held: ClassInSession
) -> None:
    await draft(platform, held)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    body = {"version": 1}
    for end, method, sent in (
        ("", "GET", None),
        ("", "PUT", {"based_on": 1}),
        ("/signature", "POST", body),
        ("/remarks", "POST", {"text": "意见", "nonce": "nonce-0009"}),
    ):
        hidden = await ask(site, held, method, end, token=other.token, body=sent)
        assert (hidden.status, hidden.problem) == (404, "not-found")
        trainee = await ask(site, held, method, end, token=held.trainees[0].token, body=sent)
        assert (trainee.status, trainee.problem) == (403, "forbidden")


async def test_a_teacher_sees_the_times_that_hold_now_beside_those_that_were_approved(
    platform: Platform, site: str, held: ClassInSession
) -> None:
    await approved(platform, held)
    read = (await ask(site, held, "GET")).json
    assert (read["sessions_now"], read["adjusted_by"]) == (None, [])
    await moved_class(platform, held)
    read = (await ask(site, held, "GET")).json
    [why] = read["adjusted_by"]
    assert why.startswith("2026-03-16 暂停：2026-03-17 至 2026-03-17 暂停")
    assert read["sessions"][0]["starts_at"] == "2026-03-17T00:30:00.000Z"
    assert [one["starts_at"] for one in read["sessions_now"]][-2:] == [
        "2026-03-30T00:30:00.000Z",
        "2026-03-30T06:00:00.000Z",
    ]
    assert len(read["sessions_now"]) == len(read["sessions"])
