"""Invitations over HTTP, as the phone of a backbone teacher answers them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.invitations import service as invitations
from server.invitations.documents import Invitation
from server.invitations.service import InvitationDraft, Refusal
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.api.test_me import NOTHING, waiting
from tests.printed import text_of
from tests.stage import Phone

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
APRIL = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}


@pytest.fixture
async def teacher(platform: Platform, wechat: Simulator) -> Phone:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    return await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft(**APRIL))


@pytest.fixture
async def letter(platform: Platform, opened: TrainingClass, teacher: Phone) -> Invitation:
    draft = InvitationDraft(
        kinds=[Kind.TEACHING], teacher_ids=[teacher.actor.id], message="承担课程教学实施部分。"
    )
    [sent] = await invitations.send(platform, XINGTAI, opened.id, draft)
    return sent


async def test_a_teacher_finds_the_letter_accepts_it_and_has_the_class(
    site: str, opened: TrainingClass, teacher: Phone, letter: Invitation
) -> None:
    listed = await call(site, "GET", "/teaching/invitations", token=teacher.token)
    assert listed.status == 200 and listed.json["next"] is None
    [item] = listed.json["items"]
    told = {
        name: item[name] for name in ("id", "class_name", "kind_title", "state", "answered_at", "message")
    }
    assert told == {
        "id": letter.id,
        "class_name": opened.name,
        "kind_title": "授课",
        "state": "SENT",
        "answered_at": None,
        "message": "承担课程教学实施部分。",
    }
    assert item["reply_by"] == "2026-03-23T16:00:00.000Z"  # the midnight that ends the 23rd in Beijing
    assert await waiting(site, teacher) == NOTHING | {"invitations": 1}
    path = f"/teaching/invitations/{letter.id}/accept"
    first = await call(site, "POST", path, token=teacher.token)
    assert await waiting(site, teacher) == NOTHING
    again = await call(site, "POST", path, token=teacher.token)
    assert (first.status, again.status) == (200, 200) and first.json == again.json
    assert first.json["state"] == "ACCEPTED" and first.json["answered_at"] == "2026-03-16T04:00:00.000Z"
    taught = await call(site, "GET", "/teaching/classes", token=teacher.token)
    assert [one["id"] for one in taught.json["items"]] == [opened.id]


async def test_declining_needs_a_reason_and_answers_the_same_when_sent_twice(
    site: str, teacher: Phone, letter: Invitation
) -> None:
    path = f"/teaching/invitations/{letter.id}/decline"
    wrong: list[Any] = [{}, {"reason": ""}, {"reason": "忙" * 501}, {"reason": 1}]
    for body in wrong:
        refused = await call(site, "POST", path, token=teacher.token, body=body)
        assert (refused.status, refused.problem) == (422, "invalid")
    body = {"reason": "当月已有教学任务"}
    first = await call(site, "POST", path, token=teacher.token, body=body)
    again = await call(site, "POST", path, token=teacher.token, body=body)
    assert (first.status, again.status) == (200, 200) and first.json == again.json
    assert (first.json["state"], first.json["reason"]) == ("DECLINED", body["reason"])
    too_late = await call(site, "POST", f"/teaching/invitations/{letter.id}/accept", token=teacher.token)
    assert (too_late.status, too_late.problem) == (409, "invitation-closed")


async def test_after_its_day_the_letter_says_so_and_is_refused(
    platform: Platform, site: str, teacher: Phone, letter: Invitation
) -> None:
    assert isinstance(platform.clock, FixedClock)
    platform.clock.set(letter.reply_by)
    [item] = (await call(site, "GET", "/teaching/invitations", token=teacher.token)).json["items"]
    assert (item["state"], item["state_title"]) == ("EXPIRED", "过期未复")
    refused = await call(site, "POST", f"/teaching/invitations/{letter.id}/accept", token=teacher.token)
    assert (refused.status, refused.problem) == (409, "invitation-closed")
    assert "2026年3月23日" in refused.json["detail"]


async def test_a_withdrawn_letter_gives_the_reason(
    platform: Platform, site: str, opened: TrainingClass, teacher: Phone, letter: Invitation
) -> None:
    await invitations.withdraw(platform, XINGTAI, opened.id, letter.id, Refusal(reason="班期调整"))
    [item] = (await call(site, "GET", "/teaching/invitations", token=teacher.token)).json["items"]
    assert (item["state"], item["reason"], item["answered_at"]) == ("WITHDRAWN", "班期调整", None)


async def test_the_second_of_two_that_clash_is_refused_with_the_name_of_the_first(
    platform: Platform, site: str, opened: TrainingClass, teacher: Phone, letter: Invitation
) -> None:
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(name="同期的另一个班", **APRIL))
    draft = InvitationDraft(kinds=[Kind.ASSESSMENT], teacher_ids=[teacher.actor.id])
    [second] = await invitations.send(platform, XINGTAI, other.id, draft)
    await call(site, "POST", f"/teaching/invitations/{letter.id}/accept", token=teacher.token)
    refused = await call(site, "POST", f"/teaching/invitations/{second.id}/accept", token=teacher.token)
    assert (refused.status, refused.problem) == (409, "teacher-busy")
    assert opened.name in refused.json["detail"]


async def test_the_letter_is_a_pdf_on_the_phone(site: str, teacher: Phone, letter: Invitation) -> None:
    answer = await call(site, "GET", f"/teaching/invitations/{letter.id}/pdf", token=teacher.token)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/pdf"
    assert f"尊敬的{cast.BACKBONE_TEACHER.name}老师" in text_of(answer.body)


async def test_the_list_pages_by_cursor(
    platform: Platform, site: str, teacher: Phone, letter: Invitation
) -> None:
    ids = [letter.id]
    for number in range(4):
        day = date(2026, 5, 1 + number)
        one = await stage.open_class(
            platform, XINGTAI, stage.class_draft(name=f"第 {number} 个班", starts_on=day, ends_on=day)
        )
        draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher.actor.id])
        ids.append((await invitations.send(platform, XINGTAI, one.id, draft))[0].id)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        tail = f"&cursor={cursor}" if cursor else ""
        page = (await call(site, "GET", f"/teaching/invitations?limit=2{tail}", token=teacher.token)).json
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert seen == ids[::-1]


async def test_who_is_not_concerned_is_refused(
    platform: Platform, wechat: Simulator, site: str, letter: Invitation
) -> None:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    unbound = await stage.phone(platform, wechat, "openid-unbound")
    for method, path, body in (
        ("POST", "accept", None),
        ("POST", "decline", {"reason": "不是我的"}),
        ("GET", "pdf", None),
    ):
        address = f"/teaching/invitations/{letter.id}/{path}"
        assert (await call(site, method, address, body=body)).problem == "not-signed-in"
        assert (
            await call(site, method, address, token=unbound.token, body=body)
        ).problem == "real-name-needed"
        assert (await call(site, method, address, token=other.token, body=body)).problem == "not-found"
    assert (await call(site, "GET", "/teaching/invitations", token=other.token)).json["items"] == []
