"""What is put right afterwards on the real database: who was there, what a flag meant, how long one may check in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.attendance import changes, codes, rolls, service, store, timetable
from server.attendance.changes import (
    CheckInChange,
    Closing,
    LateRegistrations,
    NothingFlagged,
    StatusUnchanged,
    VerdictDraft,
)
from server.attendance.check_in import CheckedIn, CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.hours import ClassHours
from server.attendance.rolls import AlreadyCheckedIn, LateRegistration
from server.attendance.rules import SETTLES_AFTER, CheckInVoid, Flag, SessionNotOpen, Status, Verdict, Window
from server.attendance.timetable import SessionInUse
from server.classes import service as classes
from server.classes.service import ResultsReleased
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import clock_of
from tests.stage import ClassInSession


def ids_of(opened: ClassInSession) -> list[str]:
    return [phone.actor.person_id for phone in opened.trainees]


async def scan(
    platform: Platform, desk: CheckInDesk, session: TeachingSession, phone: stage.Phone
) -> CheckedIn:
    return await desk.check_in(phone.actor, Scan(stage.code_of(platform, session), "1"))


def changed_to(person_id: str, status: Status, reason: str = "核对点名册") -> CheckInChange:
    return CheckInChange(person_id=person_id, status=status, reason=reason)


async def hours_after(platform: Platform, opened: ClassInSession, session: TeachingSession) -> ClassHours:
    """As they are reckoned when the session is over; the clock goes back to where it stood."""
    clock, now = clock_of(platform), platform.clock.now()
    clock.set(session.ends_at + SETTLES_AFTER)
    hours = await service.hours_of_class(platform, opened.training_class)
    clock.set(now)
    return hours


@transactional
async def release(unit: UnitOfWork, class_id: str) -> None:
    await classes.release_results(unit, class_id)
    unit.audit("assessment:release", class_id)


# ---- who was there


async def test_a_check_in_is_made_void_and_back_and_both_values_stay(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    trainee = opened.trainees[0]
    row, *_ = await scan(platform, desk, session, trainee)
    person_id = trainee.actor.person_id
    before = await hours_after(platform, opened, session)
    assert before.attended[person_id] == session.hours

    void = changed_to(person_id, Status.VOID, "本人未到，他人代签")
    done = await changes.change_check_in(platform, opened.officer, opened.id, session.id, void)
    assert (done.status, done.attended) == (Status.VOID, False)
    assert (await hours_after(platform, opened, session)).attended.get(person_id, 0) == 0
    roll = await rolls.roll(platform, opened.officer, opened.id, session.id)
    assert person_id in [entry.trainee.person_id for entry in roll.missing] and not roll.present
    [listed] = (await service.sessions_of_class(platform, opened.officer, opened.id)).rows
    assert listed.checked_in == 0
    with pytest.raises(CheckInVoid):
        await scan(platform, desk, session, trainee)
    wanted = LateRegistration(person_id=person_id, reason="手机没电")
    with pytest.raises(AlreadyCheckedIn, match="作废"):
        await rolls.register_late(platform, opened.officer, opened.id, session.id, wanted)

    back = changed_to(person_id, Status.PRESENT, "本人出示当天照片")
    done = await changes.change_check_in(platform, opened.teacher.actor, None, session.id, back)
    assert await hours_after(platform, opened, session) == before
    assert [(one.before, one.after, one.reason, one.by) for one in done.changes] == [
        (Status.PRESENT, Status.VOID, void.reason, cast.XINGTAI_OFFICER.name),
        (Status.VOID, Status.PRESENT, back.reason, opened.teacher.actor.name),
    ]
    assert done.to_mongo() | {"changes": []} == row | {"changes": [], "verdicts": []}
    told = await platform["outbox"].find({"template": "check-in-changed"}).sort("_id", 1).to_list(None)
    assert [(one["person_id"], one["data"]["before"], one["data"]["after"]) for one in told] == [
        (person_id, "出勤", "作废"),
        (person_id, "作废", "出勤"),
    ]


async def test_a_change_sent_twice_is_made_once_and_an_idle_one_is_refused(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    person_id = ids_of(opened)[0]
    await scan(platform, desk, session, opened.trainees[0])
    late = changed_to(person_id, Status.LATE)
    at_once = [
        changes.change_check_in(platform, opened.officer, opened.id, session.id, late) for _ in range(3)
    ]
    assert {len(one.changes) for one in await asyncio.gather(*at_once)} == {1}
    assert await platform["audit"].count_documents({"action": "attendance:change-check-in"}) == 1
    with pytest.raises(StatusUnchanged):
        await changes.change_check_in(
            platform, opened.officer, opened.id, session.id, changed_to(person_id, Status.LATE, "再说一次")
        )
    missing = changed_to(ids_of(opened)[1], Status.LATE)
    with pytest.raises(NotFound, match="补签"):
        await changes.change_check_in(platform, opened.officer, opened.id, session.id, missing)


async def test_two_people_who_change_one_check_in_at_once_leave_both_traces(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    person_id = ids_of(opened)[0]
    await scan(platform, desk, session, opened.trainees[0])
    await asyncio.gather(
        changes.change_check_in(
            platform, opened.officer, opened.id, session.id, changed_to(person_id, Status.VOID)
        ),
        changes.change_check_in(
            platform, opened.teacher.actor, None, session.id, changed_to(person_id, Status.LATE)
        ),
    )
    [kept] = await store.check_ins_of_session(platform, session.id)
    first, second = kept.changes
    assert (first.before, second.before, second.after) == (Status.PRESENT, first.after, kept.status)


async def test_after_the_release_nothing_of_it_changes(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    person_id = ids_of(opened)[0]
    await scan(platform, desk, session, opened.trainees[0])
    await release(platform, opened.officer, opened.id)
    at = (platform, opened.officer, opened.id, session.id)
    for act in (
        changes.change_check_in(*at, changed_to(person_id, Status.LATE)),
        changes.judge_flags(*at, VerdictDraft(person_id=person_id, verdict=Verdict.FINE, words="借同事手机")),
        changes.move_closing(*at, Closing(closes_at=session.ends_at)),
    ):
        with pytest.raises(ResultsReleased):
            await act


async def test_a_change_and_a_release_at_once_come_one_after_the_other(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    person_id = ids_of(opened)[0]
    await scan(platform, desk, session, opened.trainees[0])
    changed, released = await asyncio.gather(
        changes.change_check_in(
            platform, opened.officer, opened.id, session.id, changed_to(person_id, Status.VOID)
        ),
        release(platform, opened.officer, opened.id),
        return_exceptions=True,
    )
    assert released is None
    if isinstance(changed, Exception):
        assert isinstance(changed, ResultsReleased)
        return
    trail = platform["audit"].find({"action": {"$in": ["attendance:change-check-in", "assessment:release"]}})
    assert [one["action"] for one in await trail.sort("_id", 1).to_list(None)]


async def test_the_neighbour_and_a_teacher_of_another_class_put_nothing_right(
    platform: Platform, wechat: Simulator, opened: ClassInSession, session: TeachingSession
) -> None:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    person_id = ids_of(opened)[0]
    strangers: list[tuple[Actor, str | None]] = [
        (stage.actor(cast.YANGZHOU_OFFICER), opened.id),
        (other.actor, None),
    ]
    for actor, class_id in strangers:
        at = platform, actor, class_id, session.id
        for act in (
            changes.change_check_in(*at, changed_to(person_id, Status.LATE)),
            changes.register_all(*at, LateRegistrations(person_ids=[person_id], reason="教室停电")),
            changes.judge_flags(
                *at, VerdictDraft(person_id=person_id, verdict=Verdict.FINE, words="没有问题")
            ),
            changes.move_closing(*at, Closing(closes_at=session.ends_at)),
        ):
            with pytest.raises(NotFound):
                await act


# ---- flags


async def test_one_phone_for_several_people_gets_a_verdict_and_takes_nothing_away(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    first, second, third, _ = opened.trainees
    for number, phone in enumerate((first, second)):
        code = stage.code_of(platform, session)
        await desk.check_in(phone.actor, Scan(code, str(number), device="one-phone"))
    await desk.check_in(third.actor, Scan(stage.code_of(platform, session), "3", device="another"))
    at = (platform, opened.officer, opened.id, session.id)
    roll = await rolls.roll(*at)
    assert [entry.open_flags for entry in roll.flagged] == [(Flag.SHARED_DEVICE,)] * 2
    fine = VerdictDraft(
        person_id=first.actor.person_id, verdict=Verdict.FINE, words="手机没电，借同事手机，本人在场"
    )
    for _ in range(2):
        judged = await changes.judge_flags(*at, fine)
        assert [(one.verdict, one.by, one.flags) for one in judged.verdicts] == [
            (Verdict.FINE, cast.XINGTAI_OFFICER.name, [Flag.SHARED_DEVICE])
        ]
    roll = await rolls.roll(*at)
    assert [entry.trainee.person_id for entry in roll.flagged] == [second.actor.person_id]
    assert len(roll.present) == 3, "a verdict changes nobody's attendance"
    with pytest.raises(NothingFlagged):
        await changes.judge_flags(*at, fine.model_copy(update={"person_id": third.actor.person_id}))


async def test_a_verdict_can_be_given_anew_and_both_are_kept(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    for number, phone in enumerate(opened.trainees[:2]):
        code = stage.code_of(platform, session)
        await desk.check_in(phone.actor, Scan(code, str(number), device="one-phone"))
    at, who = (platform, opened.officer, opened.id, session.id), ids_of(opened)[0]
    said = [(Verdict.FINE, "借同事手机"), (Verdict.WRONG, "他人代签"), (Verdict.FINE, "借同事手机")]
    wanted = [VerdictDraft(person_id=who, verdict=verdict, words=words) for verdict, words in said]
    *_, judged = [await changes.judge_flags(*at, one) for one in wanted]
    assert [(one.verdict, one.words) for one in judged.verdicts] == said


# ---- the window


async def test_a_longer_window_is_made_shorter_again_and_who_is_in_stays(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk, clock: FixedClock
) -> None:
    at = (platform, opened.officer, opened.id, session.id)
    await changes.move_closing(*at, Closing(closes_at=session.ends_at))
    clock.set(session.closes_at + timedelta(minutes=10))
    await scan(platform, desk, session, opened.trainees[0])
    for passed in (session.closes_at, clock.now()):
        with pytest.raises(Invalid) as refused:
            await changes.move_closing(*at, Closing(closes_at=passed))
        assert "已过" in refused.value.fields[0].message
    soon = clock.now() + timedelta(minutes=1)
    assert (await changes.move_closing(*at, Closing(closes_at=soon))).closes_at == soon
    clock.set(soon)
    with pytest.raises(SessionNotOpen):
        await scan(platform, desk, session, opened.trainees[1])
    assert len((await rolls.roll(*at)).present) + len((await rolls.roll(*at)).late) == 1
    assert await platform["audit"].count_documents({"action": "attendance:shorten-window"}) == 1


async def test_the_window_is_lengthened_after_the_first_scan_within_the_session(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk, clock: FixedClock
) -> None:
    await scan(platform, desk, session, opened.trainees[0])
    clock.set(session.closes_at)
    with pytest.raises(SessionNotOpen):
        await scan(platform, desk, session, opened.trainees[1])
    wrong = (session.ends_at + timedelta(seconds=1), session.closes_at - timedelta(minutes=1))
    for closes_at in wrong:
        with pytest.raises(Invalid):
            await changes.move_closing(
                platform, opened.officer, opened.id, session.id, Closing(closes_at=closes_at)
            )
    wanted = Closing(closes_at=session.ends_at)
    twice = [
        await changes.move_closing(platform, opened.teacher.actor, None, session.id, wanted) for _ in range(2)
    ]
    longer = twice[1]
    assert twice[0] == longer
    assert longer.model_dump(exclude={"closes_at"}) == session.model_dump(exclude={"closes_at"})
    assert await platform["audit"].count_documents({"action": "attendance:extend-window"}) == 1
    _, window, code = await codes.code_for_screen(platform, opened.officer, opened.id, session.id)
    assert window is Window.OPEN and code is not None
    row, new, _ = await scan(platform, desk, session, opened.trainees[1])
    assert new and row["status"] == Status.LATE
    with pytest.raises(SessionInUse):
        await timetable.cancel_session(platform, opened.officer, opened.id, session.id, "教室检修")


# ---- several at once


async def test_several_people_are_registered_at_once_all_or_nobody(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    one, two, three, four = ids_of(opened)
    await scan(platform, desk, session, opened.trainees[0])
    at = (platform, opened.officer, opened.id, session.id)
    strangers = LateRegistrations(person_ids=[two, opened.teacher.actor.person_id], reason="教室停电")
    with pytest.raises(NotFound):
        await changes.register_all(*at, strangers)
    assert await platform["check_ins"].count_documents({}) == 1
    wanted = LateRegistrations(person_ids=[one, two, three], status=Status.LATE, reason="教室停电")
    done = await changes.register_all(*at, wanted)
    assert ([one.person_id for one in done.new], done.there) == ([two, three], 1)
    again = await changes.register_all(*at, wanted)
    assert (again.new, again.there) == ([], 3)
    assert await platform["audit"].count_documents({"action": "attendance:register-late"}) == 2
    await changes.change_check_in(*at, changed_to(two, Status.VOID))
    with pytest.raises(AlreadyCheckedIn, match="作废"):
        await changes.register_all(*at, LateRegistrations(person_ids=[two, four], reason="教室停电"))
    assert await platform["check_ins"].count_documents({}) == 3


async def test_phones_and_a_list_at_once_make_one_row_each(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    wanted = LateRegistrations(person_ids=ids_of(opened), reason="教室停电")
    answers = await asyncio.gather(
        changes.register_all(platform, opened.officer, opened.id, session.id, wanted),
        changes.register_all(platform, opened.teacher.actor, None, session.id, wanted),
        *(scan(platform, desk, session, phone) for phone in opened.trainees[:2]),
        return_exceptions=True,
    )
    assert not [one for one in answers if isinstance(one, BaseException)]
    rows = await store.check_ins_of_session(platform, session.id)
    assert sorted(one.person_id for one in rows) == sorted(ids_of(opened))


def test_nobody_is_registered_as_void() -> None:
    person_id = "0" * 24
    for wrong in (
        lambda: LateRegistration(person_id=person_id, status=Status.VOID, reason="教室停电"),
        lambda: LateRegistrations(person_ids=[person_id], status=Status.VOID, reason="教室停电"),
    ):
        with pytest.raises(ValueError, match="出勤或迟到"):
            wrong()
