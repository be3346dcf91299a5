"""Check-in over HTTP: what a trainee's phone and a teacher's phone see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from server.attendance import timetable
from server.attendance.documents import TeachingSession
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import Answer, call
from tests.stage import ClassInSession, Phone

A_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=3)


@pytest.fixture
async def session(platform: Platform, opened: ClassInSession, clock: FixedClock) -> TeachingSession:
    """A session whose check-in has been open for ten minutes."""
    made = await stage.teaching_session(platform, opened)
    clock.set(made.opens_at + 10 * A_MINUTE)
    return made


async def check_in(site: str, phone: Phone, code: str, nonce: str = "scan-1", **more: Any) -> Answer:
    body = {"code": code, "nonce": nonce, **more}
    return await call(site, "POST", "/check-ins", token=phone.token, body=body)


async def attendance(site: str, opened: ClassInSession, session: TeachingSession) -> Any:
    answer = await call(
        site, "GET", f"/teaching/sessions/{session.id}/attendance", token=opened.teacher.token
    )
    assert answer.status == 200, answer.body
    return answer.json


async def test_a_scan_of_the_code_on_the_screen_checks_in(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    shown = await call(site, "GET", f"/teaching/sessions/{session.id}/code", token=opened.teacher.token)
    assert shown.status == 200 and 0 < shown.json["next_in"] <= 5
    answer = await check_in(site, opened.trainees[0], shown.json["code"])
    assert answer.status == 201
    body = answer.json
    assert body["session_id"] == session.id and body["status"] == "present" and body["flags"] == []
    assert (body["session_title"], body["place"]) == (session.title, session.place)
    assert body["class_name"] == opened.training_class.name
    assert datetime.fromisoformat(body["checked_in_at"]) == platform.clock.now()
    kept = await platform["check_ins"].find_one({"_id": body["id"]})
    assert kept is not None and kept["person_id"] == opened.trainees[0].actor.person_id


async def test_two_hundred_copies_of_one_request_make_exactly_one_check_in(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    code = stage.code_of(platform, session)
    answers = await asyncio.gather(*(check_in(site, opened.trainees[0], code) for _ in range(200)))
    assert sorted(answer.status for answer in answers) == [200] * 199 + [201]
    assert len({answer.body for answer in answers}) == 1
    assert await platform["check_ins"].count_documents({}) == 1


async def test_a_scan_sent_again_after_its_code_has_expired_answers_as_the_first(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    code = stage.code_of(platform, session)
    first = await check_in(site, opened.trainees[0], code)
    clock.advance(timedelta(hours=8))
    again = await check_in(site, opened.trainees[0], code)
    assert (first.status, again.status) == (201, 200) and first.body == again.body
    assert (await attendance(site, opened, session))["refused"] == []


async def test_a_second_scan_of_the_same_session_answers_as_the_first(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    first = await check_in(site, opened.trainees[0], stage.code_of(platform, session), "scan-1")
    clock.advance(20 * A_MINUTE)
    second = await check_in(site, opened.trainees[0], stage.code_of(platform, session), "scan-2")
    assert second.status == 200 and second.body == first.body


async def test_late_is_whoever_scans_after_the_set_time(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    clock.set(session.late_after)
    on_time = await check_in(site, opened.trainees[0], stage.code_of(platform, session))
    clock.advance(timedelta(milliseconds=1))
    late = await check_in(site, opened.trainees[1], stage.code_of(platform, session))
    assert (on_time.json["status"], late.json["status"]) == ("present", "late")


async def refused_with(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, answer: Answer
) -> str:
    """The refusal's type, once it is sure that the scan left no attendance and is listed for the teacher."""
    assert await platform["check_ins"].count_documents({}) == 0
    listed = (await attendance(site, opened, session))["refused"]
    assert [scan["reason"] for scan in listed] == [answer.problem]
    return f"{answer.status} {answer.problem}"


async def test_a_code_used_after_its_grace_is_refused(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    code = stage.code_of(platform, session)
    clock.advance(timedelta(seconds=7))
    answer = await check_in(site, opened.trainees[0], code)
    assert await refused_with(platform, site, opened, session, answer) == "422 code-expired"


async def test_a_code_is_good_to_the_last_millisecond_of_its_grace(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    code = stage.code_of(platform, session)
    clock.advance(timedelta(seconds=6, milliseconds=999))
    assert (await check_in(site, opened.trainees[0], code)).status == 201


async def test_a_code_of_the_next_step_is_refused(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    code = stage.code_of(platform, session, steps=1)
    clock.advance(timedelta(seconds=4, milliseconds=999))
    answer = await check_in(site, opened.trainees[0], code)
    assert await refused_with(platform, site, opened, session, answer) == "422 code-invalid"


async def test_a_forged_code_is_refused(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    code = stage.code_of(platform, session)
    answer = await check_in(
        site, opened.trainees[0], code[:-5] + ("0" if code[-5] != "0" else "1") + code[-4:]
    )
    assert await refused_with(platform, site, opened, session, answer) == "422 code-invalid"


async def test_a_code_made_over_for_another_session_is_refused(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    afternoon = session.starts_at + timedelta(hours=5)
    other = await stage.teaching_session(
        platform,
        opened,
        starts_at=afternoon,
        ends_at=afternoon + timedelta(hours=3),
    )
    mine, theirs = stage.code_of(platform, session), stage.code_of(platform, other)
    answer = await check_in(site, opened.trainees[0], mine[:24] + theirs[24:])
    assert await refused_with(platform, site, opened, session, answer) == "422 code-invalid"


async def test_a_code_binds_to_its_own_session_and_never_to_a_later_one(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    afternoon = session.starts_at + timedelta(hours=5)
    later = await stage.teaching_session(
        platform, opened, starts_at=afternoon, ends_at=afternoon + timedelta(hours=3)
    )
    answer = await check_in(site, opened.trainees[0], stage.code_of(platform, later))
    assert await refused_with(platform, site, opened, later, answer) == "409 session-not-open"


async def trainee_of_another_class(platform: Platform, wechat: Simulator) -> Phone:
    other = await stage.open_class(platform, stage.actor(cast.YANGZHOU_OFFICER), stage.class_draft())
    await stage.enrol(platform, cast.YANGZHOU_OFFICER, other.id, [cast.TRAINEE])
    return await stage.phone(platform, wechat, "openid-stranger", cast.TRAINEE)


async def test_somebody_who_is_not_of_the_class_is_refused(
    platform: Platform, wechat: Simulator, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    stranger = await trainee_of_another_class(platform, wechat)
    answer = await check_in(site, stranger, stage.code_of(platform, session))
    assert await refused_with(platform, site, opened, session, answer) == "403 not-enrolled"


async def test_a_stranger_with_a_forged_code_does_not_fill_a_teachers_list(
    platform: Platform, wechat: Simulator, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    stranger = await trainee_of_another_class(platform, wechat)
    answer = await check_in(site, stranger, stage.code_of(platform, session)[:-4] + "0000")
    assert answer.problem == "code-invalid"
    assert (await attendance(site, opened, session))["refused"] == []
    assert await platform["refused_scans"].count_documents({"session_id": None}) == 1


@pytest.mark.parametrize("minutes", [-11, 40])
async def test_a_scan_outside_of_the_window_is_refused_with_the_time(
    platform: Platform,
    site: str,
    opened: ClassInSession,
    session: TeachingSession,
    clock: FixedClock,
    minutes: int,
) -> None:
    clock.advance(minutes * A_MINUTE)
    answer = await check_in(site, opened.trainees[0], stage.code_of(platform, session))
    assert await refused_with(platform, site, opened, session, answer) == "409 session-not-open"
    assert ("08:40" if minutes < 0 else "09:30") in answer.json["detail"]


async def test_a_text_that_is_no_code_is_refused(site: str, opened: ClassInSession) -> None:
    answer = await check_in(site, opened.trainees[0], "https://example.com/")
    assert (answer.status, answer.problem) == (422, "code-invalid")


async def test_guessing_codes_is_stopped(site: str, opened: ClassInSession) -> None:
    answers = [await check_in(site, opened.trainees[0], "GX1:" + "0" * 52) for _ in range(31)]
    assert [answer.status for answer in answers] == [422] * 30 + [429]


async def test_a_phone_that_is_bound_to_nobody_cannot_check_in(
    platform: Platform, wechat: Simulator, site: str, session: TeachingSession
) -> None:
    unbound = await stage.phone(platform, wechat, "openid-unbound")
    answer = await check_in(site, unbound, stage.code_of(platform, session))
    assert (answer.status, answer.problem) == (403, "real-name-needed")


# ---- flags


FENCE = {"latitude": 37.0682, "longitude": 114.5048, "datum": "GCJ-02", "radius_m": 200}


async def test_who_is_far_from_the_fence_or_gives_no_location_is_in_and_flagged(
    platform: Platform, site: str, opened: ClassInSession, clock: FixedClock
) -> None:
    session = await stage.teaching_session(platform, opened, geofence=FENCE)
    clock.set(session.starts_at)
    code = stage.code_of(platform, session)
    far = {"latitude": 37.08, "longitude": 114.5048, "accuracy": 30, "datum": "GCJ-02"}
    answers = [
        await check_in(site, opened.trainees[0], code, location=far),
        await check_in(site, opened.trainees[1], code),
        await check_in(site, opened.trainees[2], code, location=far | {"latitude": 37.0683, "accuracy": 900}),
    ]
    assert [(answer.status, answer.json["flags"]) for answer in answers] == [
        (201, ["outside-geofence"]),
        (201, ["no-location"]),
        (201, ["location-unusable"]),
    ]
    rows = (await attendance(site, opened, session))["items"]
    assert rows[0]["distance_m"] == pytest.approx(1312, abs=5)
    [kept] = await platform["check_ins"].find({"flags": "outside-geofence"}).to_list(None)
    assert 37.08 not in kept.values(), "where the person was is not kept, only how far away"


async def test_everybody_whose_phone_checked_in_several_people_is_flagged_for_the_teacher(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    code = stage.code_of(platform, session)
    await asyncio.gather(
        check_in(site, opened.trainees[0], code, device="phone-a"),
        check_in(site, opened.trainees[1], code, device="phone-a"),
        check_in(site, opened.trainees[2], code, device="phone-b"),
    )
    rows = (await attendance(site, opened, session))["items"]
    assert [row["flags"] for row in rows] == [["shared-device"], ["shared-device"], []]


# ---- the lists


async def test_the_teacher_sees_who_is_in_late_and_missing(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    await check_in(site, opened.trainees[0], stage.code_of(platform, session))
    clock.set(session.late_after + A_MINUTE)
    await check_in(site, opened.trainees[1], stage.code_of(platform, session))
    roll = await attendance(site, opened, session)
    assert [row["status"] for row in roll["items"]] == ["present", "late", None]
    assert (roll["present"], roll["late"], roll["missing"]) == (1, 1, 1)
    assert roll["session"]["checked_in"] == 2 and roll["session"]["window"] == "open"


async def test_a_trainee_sees_the_timetable_with_the_own_check_ins(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    day = timedelta(days=1)
    for days in (1, 2):
        await stage.teaching_session(
            platform, opened, starts_at=session.starts_at + days * day, ends_at=session.ends_at + days * day
        )
    await check_in(site, opened.trainees[0], stage.code_of(platform, session))
    path = f"/classes/{opened.id}/sessions"
    first = await call(site, "GET", f"{path}?limit=2", token=opened.trainees[0].token)
    rest = await call(
        site, "GET", f"{path}?limit=2&cursor={first.json['next']}", token=opened.trainees[0].token
    )
    items = first.json["items"] + rest.json["items"]
    assert [item["window"] for item in items] == ["open", "upcoming", "upcoming"]
    assert items[0]["check_in"]["status"] == "present" and items[1]["check_in"] is None
    assert rest.json["next"] is None
    others = await call(site, "GET", path, token=opened.trainees[1].token)
    assert others.json["items"][0]["check_in"] is None


async def test_a_code_is_not_shown_outside_of_the_window(
    site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    clock.set(session.closes_at)
    answer = await call(site, "GET", f"/teaching/sessions/{session.id}/code", token=opened.teacher.token)
    assert (answer.status, answer.problem) == (409, "session-not-open")


async def test_the_teacher_registers_by_hand_whose_phone_is_broken(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    clock.set(session.closes_at + A_MINUTE)
    path = f"/teaching/sessions/{session.id}/late-registrations"
    body = {"person_id": opened.trainees[2].actor.person_id, "reason": "手机没电，本人在场"}
    first = await call(site, "POST", path, token=opened.teacher.token, body=body)
    again = await call(site, "POST", path, token=opened.teacher.token, body=body)
    other = await call(site, "POST", path, token=opened.teacher.token, body=body | {"reason": "另一个理由"})
    assert (first.status, again.status) == (201, 200) and first.body == again.body
    assert (other.status, other.problem) == (409, "already-checked-in")
    row = (await attendance(site, opened, session))["items"][2]
    assert (row["source"], row["reason"]) == ("manual", "手机没电，本人在场")
    entry = await platform["audit"].find_one({"action": "attendance:register-late"})
    assert entry is not None and entry["actor_id"] == opened.teacher.actor.id


async def test_nobody_from_another_class_sees_a_session_or_its_code(
    platform: Platform, wechat: Simulator, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other_teacher = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    person = {"person_id": opened.trainees[0].actor.person_id, "reason": "冒名签到"}
    answers = [
        await call(site, "GET", f"/teaching/classes/{opened.id}/sessions", token=other_teacher.token),
        await call(site, "GET", f"/teaching/sessions/{session.id}/code", token=other_teacher.token),
        await call(site, "GET", f"/teaching/sessions/{session.id}/attendance", token=other_teacher.token),
        await call(
            site,
            "POST",
            f"/teaching/sessions/{session.id}/late-registrations",
            token=other_teacher.token,
            body=person,
        ),
        await call(site, "GET", f"/classes/{opened.id}/sessions", token=other_teacher.token),
    ]
    assert [answer.status for answer in answers] == [404] * 5


async def test_a_trainee_cannot_show_the_code(
    site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    answer = await call(site, "GET", f"/teaching/sessions/{session.id}/code", token=opened.trainees[0].token)
    assert (answer.status, answer.problem) == (403, "forbidden")


async def test_a_code_of_a_cancelled_session_is_refused(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    code = stage.code_of(platform, session)
    await timetable.cancel_session(platform, opened.officer, opened.id, session.id, "教室检修")
    answer = await check_in(site, opened.trainees[0], code)
    assert (answer.status, answer.problem) == (422, "code-invalid")


async def test_the_code_of_another_secret_is_refused(
    platform: Platform, site: str, opened: ClassInSession, session: TeachingSession
) -> None:
    elsewhere = replace(
        platform, settings=platform.settings.model_copy(update={"code_secret": SecretStr("x" * 48)})
    )
    answer = await check_in(site, opened.trainees[0], stage.code_of(elsewhere, session))
    assert answer.problem == "code-invalid"
