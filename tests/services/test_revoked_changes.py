"""An approved change is undone before anything of it has happened, and hours that were credited wrongly are taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.attendance import added, timetable
from server.attendance import service as attendance
from server.attendance.added import AlreadyVoided, Voiding
from server.attendance.documents import AddedKind, TeachingSession
from server.classes.rules import Condition
from server.interruptions import facts, service
from server.interruptions.documents import ClassChange
from server.interruptions.requests import Postponement, Revocation
from server.interruptions.rules import CannotBeRevoked, Kind, State
from server.invitations import service as invitations
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound, Problem
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, Overtaken, Review
from tests import stage
from tests.services.test_interruptions import (
    HEBEI,
    TYPHOON,
    XINGTAI,
    YANGZHOU,
    approve,
    at,
    hold,
    later_class,
    morning,
    opened,
    suspension,
    the_class,
    to,
    told,
)
from tests.stage import ClassInSession

__all__ = ["opened"]


def why(change: ClassChange) -> Revocation:
    return Revocation(seen=len(change.history), reason="台风已经绕过，照常上课。")


async def suspended(
    platform: Platform, opened: ClassInSession
) -> tuple[ClassChange, TeachingSession, TeachingSession]:
    """An approved suspension that moves the first of these sessions and drops the other."""
    first, second = [await morning(platform, opened, day) for day in (18, 19)]
    asked = await service.suspend(platform, XINGTAI, opened.id, suspension(moves={first.id: at(30, 9)}))
    return await approve(platform, asked), first, second


async def placed(platform: Platform, class_id: str) -> list[tuple[str, object, bool]]:
    there = await timetable.all_sessions(platform, class_id)
    return sorted((one.id, one.starts_at, one.cancelled_at is None) for one, _ in there)


async def test_an_approved_suspension_that_has_not_begun_is_undone_by_the_province_on_request(
    platform: Platform, opened: ClassInSession
) -> None:
    before = await the_class(platform, opened.id)
    done, first, second = await suspended(platform, opened)
    assert await facts.may_be_revoked(platform, XINGTAI, done)
    assert not await facts.may_be_revoked(platform, HEBEI, done)
    asked = await service.revoke(platform, XINGTAI, done.id, why(done))
    assert (asked.kind, asked.state) == (Kind.REVOKE, State.SUBMITTED)
    assert (await the_class(platform, opened.id)).suspensions  # nothing before the approval
    approved = await approve(platform, asked)
    assert approved.state is State.APPROVED
    assert (await service.change(platform, XINGTAI, done.id)).state is State.REVOKED
    found = await the_class(platform, opened.id)
    assert found.model_copy(update={"version": before.version}) == before
    assert await placed(platform, opened.id) == sorted(
        [(first.id, first.starts_at, True), (second.id, second.starts_at, True)]
    )
    for one in opened.trainees:
        assert (await told(platform, one.actor.id))[-2:] == ["class-suspended", "class-change-revoked"]
    [letter] = await invitations.my_invitations(platform, opened.teacher.actor)
    assert letter.ends_on == found.ends_on
    with pytest.raises(NotInThisState):
        await service.revoke(platform, XINGTAI, done.id, Revocation(seen=3, reason="再撤销一次看看"))


async def test_what_the_suspension_dropped_beside_its_request_is_held_again(
    platform: Platform, opened: ClassInSession
) -> None:
    asked = await service.suspend(platform, XINGTAI, opened.id, suspension())
    late = await morning(platform, opened, 20)  # added while the request waited
    done = await approve(platform, asked)
    assert await placed(platform, opened.id) == [(late.id, late.starts_at, False)]
    await approve(platform, await service.revoke(platform, XINGTAI, done.id, why(done)))
    assert await placed(platform, opened.id) == [(late.id, late.starts_at, True)]


async def test_a_class_that_was_put_off_begins_on_its_first_day_again(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    clock.set(at(10, 8))
    wanted = Postponement.model_validate(
        TYPHOON | {"starts_on": date(2026, 3, 23), "ends_on": date(2026, 4, 3)}
    )
    done = await approve(platform, await service.postpone(platform, XINGTAI, opened.id, wanted))
    assert (await the_class(platform, opened.id)).planned_starts_on == date(2026, 3, 16)
    asked = await service.revoke(platform, XINGTAI, done.id, why(done))
    clock.set(at(16, 8))  # the old first day is here
    with pytest.raises(CannotBeRevoked):
        await approve(platform, asked)
    clock.set(at(15, 8))
    await approve(platform, asked)
    found = await the_class(platform, opened.id)
    assert (found.starts_on, found.planned_starts_on) == (date(2026, 3, 16), None)


async def test_nothing_is_undone_once_it_has_begun_been_changed_again_or_cannot_be_undone(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    done, _, _ = await suspended(platform, opened)
    with pytest.raises(NotFound):
        await service.revoke(platform, YANGZHOU, done.id, why(done))
    with pytest.raises(Overtaken):
        await service.revoke(platform, XINGTAI, done.id, Revocation(seen=1, reason="台风已经绕过"))
    later = Postponement.model_validate(
        TYPHOON | {"starts_on": date(2026, 3, 16), "ends_on": date(2026, 4, 3)}
    )
    newest = await approve(platform, await service.postpone(platform, XINGTAI, opened.id, later))
    with pytest.raises(CannotBeRevoked, match="最近"):
        await service.revoke(platform, XINGTAI, done.id, why(done))
    await approve(platform, await service.revoke(platform, XINGTAI, newest.id, why(newest)))
    asked = await service.revoke(platform, XINGTAI, done.id, why(done))  # now it is the newest again
    clock.set(at(18, 0))
    with pytest.raises(CannotBeRevoked, match="已经开始"):
        await approve(platform, asked)
    await service.withdraw(platform, XINGTAI, asked.id, Review(seen=1))
    assert not await facts.may_be_revoked(platform, XINGTAI, done)
    ended = await service.transfer(platform, XINGTAI, opened.id, to(await later_class(platform), opened))
    gone = await approve(platform, ended)
    with pytest.raises(Problem):
        await service.revoke(platform, XINGTAI, gone.id, why(gone))
    assert (await the_class(platform, opened.id)).condition is Condition.TERMINATED


async def test_a_session_that_was_held_at_its_new_time_keeps_the_change_from_being_undone(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await morning(platform, opened, 25)
    wanted = Postponement.model_validate(
        TYPHOON
        | {"starts_on": date(2026, 3, 16), "ends_on": date(2026, 4, 3), "moves": {session.id: at(17, 9)}}
    )
    done = await approve(platform, await service.postpone(platform, XINGTAI, opened.id, wanted))
    [(moved, _)] = await timetable.all_sessions(platform, opened.id)
    await hold(platform, clock, moved, opened.trainees)
    with pytest.raises(CannotBeRevoked):
        await service.revoke(platform, XINGTAI, done.id, why(done))


async def test_hours_credited_to_the_wrong_class_are_taken_back_and_credited_to_the_right_one(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    wrong = await later_class(platform)
    right = await later_class(
        platform, name="2026年6月三级教师培训班", starts_on=date(2026, 6, 8), ends_on=date(2026, 6, 19)
    )
    await hold(platform, clock, await morning(platform, opened, 17), opened.trainees)
    await approve(platform, await service.transfer(platform, XINGTAI, opened.id, to(wrong, opened)))
    credited = await added.of_class(platform, XINGTAI, wrong.id)
    again = await service.transfer(platform, XINGTAI, opened.id, to(right, opened))
    with pytest.raises(Problem, match="conflict"):
        await approve(platform, again)
    for one in credited:
        with pytest.raises(NotFound):
            await added.void(platform, YANGZHOU, wrong.id, one.id, Voiding(reason="不是本单位的班"))
        await added.void(platform, XINGTAI, wrong.id, one.id, Voiding(reason="应计入六月的班"))
        with pytest.raises(AlreadyVoided):
            await added.void(platform, XINGTAI, wrong.id, one.id, Voiding(reason="应计入六月的班"))
    kept = await added.of_class(platform, XINGTAI, wrong.id)
    assert [(one.kind, one.hours, one.void_reason) for one in kept] == [
        (AddedKind.CREDITED, 4, "应计入六月的班")
    ] * 2
    assert not any((await attendance.hours_of_class(platform, wrong)).attended.values())
    for trainee in opened.trainees:
        assert (await told(platform, trainee.actor.id))[-1] == "credit-voided"
    await approve(platform, again)
    assert list((await attendance.hours_of_class(platform, right)).attended.values()) == [4, 4]


async def test_a_teacher_takes_no_credited_hours_back(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    later = await later_class(platform)
    await stage.teach(platform, XINGTAI, later.id, opened.teacher)
    session = await morning(platform, opened, 17)
    await hold(platform, clock, session, opened.trainees)
    clock.set(session.ends_at + timedelta(hours=1))
    await approve(platform, await service.transfer(platform, XINGTAI, opened.id, to(later, opened)))
    [one, _] = await added.of_class(platform, XINGTAI, later.id)
    with pytest.raises(NotFound):
        await added.void_as_teacher(
            platform, opened.teacher.actor, later.id, one.id, Voiding(reason="不是教师办的")
        )
