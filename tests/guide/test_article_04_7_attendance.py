"""第四条（七）: 确保参训教师全实名，培训过程可追溯."""

from datetime import timedelta

import pytest

from server.attendance import rolls
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.rolls import LateRegistration
from server.attendance.rules import CodeExpired, NotEnrolled
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage


async def test_only_a_person_of_the_roster_checks_in_and_never_for_another(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """确保参训教师全实名: the row carries the person bound to the phone; somebody who is not of the class leaves none."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at)
    code = stage.code_of(platform, session)
    row, new = await CheckInDesk(platform).check_in(held.trainees[0].actor, Scan(code, "nonce"))
    assert new and row["person_id"] == held.trainees[0].actor.person_id
    stranger = held.teacher.actor
    with pytest.raises(NotEnrolled):
        await CheckInDesk(platform).check_in(stranger, Scan(code, "other"))
    assert await platform["check_ins"].count_documents({}) == 1


async def test_a_refused_scan_is_kept_for_the_teacher_to_see(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: what was tried and refused stays with its reason and its moment."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at)
    code = stage.code_of(platform, session)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(CodeExpired):
        await CheckInDesk(platform).check_in(held.trainees[0].actor, Scan(code, "late"))
    roll = await rolls.taught_roll(platform, held.teacher.actor, session.id)
    assert [(one.person_id, one.reason) for one in roll.refused] == [
        (held.trainees[0].actor.person_id, "code-expired")
    ]


async def test_whoever_registers_somebody_by_hand_says_why_and_is_named(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: 补签 carries who, when and why, and stands in the audit trail."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at)
    person_id = held.trainees[0].actor.person_id
    wanted = LateRegistration(person_id=person_id, reason="手机没电，现场核对本人")
    row, new = await rolls.register_late(platform, held.officer, held.id, session.id, wanted)
    assert (new, row.registered_by, row.reason) == (True, cast.XINGTAI_OFFICER.name, wanted.reason)
    entry = await platform["audit"].find_one({"action": "attendance:register-late"})
    assert entry is not None
    assert (entry["actor_name"], entry["facts"]["reason"]) == (cast.XINGTAI_OFFICER.name, wanted.reason)
    with pytest.raises((Invalid, ValueError)):
        LateRegistration(person_id=person_id, reason="")
