"""第二十五条（四）: 如修改已发布的数据信息……进行操作: a correction never makes a class, or its certificates, say what was not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.certificates import issue, reconcile
from server.certificates.rules import DaysNotTrue
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.enrolment import DatesClash
from server.classes.rules import DaysFixed
from server.corrections import service
from server.corrections.documents import Correction
from server.corrections.rules import SessionsOutside
from server.corrections.service import ClassCorrection
from server.interruptions import service as interruptions
from server.interruptions.requests import Postponement, Revocation
from server.interruptions.rules import Ground
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.planning import HEBEI, XINGTAI
from tests.stage import ClassInSession


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    """A class of 邢台 from 16 to 27 March 2026."""
    return await stage.class_in_session(platform, wechat)


async def the_class(platform: Platform, opened: ClassInSession) -> TrainingClass:
    return await classes.get_class(platform, XINGTAI, opened.id)


async def ask(platform: Platform, opened: ClassInSession, **changes: Any) -> Correction:
    """The class as it is now, but for `changes`."""
    now = (await the_class(platform, opened)).model_dump(include={"name", "place", "starts_on", "ends_on"})
    wanted = ClassCorrection.model_validate(now | {"reason": "通知中日期写错。"} | changes)
    return await service.correct_class(platform, XINGTAI, opened.id, wanted)


async def morning(platform: Platform, opened: ClassInSession, day: int) -> None:
    nine = datetime(2026, 3, day, 1, tzinfo=UTC)
    changes = {"title": f"{day} 日上午", "starts_at": nine, "ends_at": nine + timedelta(hours=3)}
    await stage.teaching_session(platform, opened, **changes)


def march(day: int) -> date:
    return date(2026, 3, day)


async def test_corrected_days_span_every_session_held_or_planned(
    platform: Platform, opened: ClassInSession
) -> None:
    for day in (17, 25):
        await morning(platform, opened, day)
    with pytest.raises(SessionsOutside, match=r"“17 日上午”（2026-03-17）不在"):
        await ask(platform, opened, starts_on=march(18))
    with pytest.raises(SessionsOutside, match="“25 日上午”"):
        await ask(platform, opened, ends_on=march(24))
    asked = await ask(platform, opened, starts_on=march(17), ends_on=march(25))
    await service.approve(platform, HEBEI, asked.id)
    found = await the_class(platform, opened)
    assert (found.starts_on, found.ends_on) == (march(17), march(25))


async def test_a_session_that_came_while_a_correction_waited_keeps_it_from_being_approved(
    platform: Platform, opened: ClassInSession
) -> None:
    asked = await ask(platform, opened, ends_on=march(24))
    await morning(platform, opened, 26)
    with pytest.raises(SessionsOutside):
        await service.approve(platform, HEBEI, asked.id)
    assert (await the_class(platform, opened)).ends_on == march(27)


async def test_a_place_is_corrected_whatever_the_days_of_the_sessions(
    platform: Platform, opened: ClassInSession
) -> None:
    await morning(platform, opened, 26)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"ends_on": "2026-03-24"}})
    asked = await ask(platform, opened, place="图书馆 201")
    await service.approve(platform, HEBEI, asked.id)
    assert (await the_class(platform, opened)).place == "图书馆 201"


async def test_the_days_of_a_class_are_fixed_by_the_release_of_its_results(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """Also for a correction that was asked for before it, and after certificates were issued."""
    asked = await ask(platform, opened, ends_on=march(28))
    clock.set(certifying.on_last_day(opened))
    await certifying.release(platform, opened.id)
    with pytest.raises(DaysFixed, match="重新开放成绩"):
        await service.approve(platform, HEBEI, asked.id)
    await service.retract(platform, XINGTAI, asked.id, "日期不改了。")
    papers = await certifying.issued(platform, opened)
    for changes in ({"starts_on": march(9)}, {"ends_on": march(28)}):
        with pytest.raises(DaysFixed):
            await ask(platform, opened, **changes)
    assert {one.printed.training_to for one in papers} == {march(27)}
    assert (await ask(platform, opened, place="图书馆 201")).wanted == {"place": "图书馆 201"}


async def test_a_correction_does_not_undo_what_the_province_approved_and_a_revocation_does(
    platform: Platform, opened: ClassInSession
) -> None:
    waits = await ask(platform, opened, starts_on=march(17))
    days = {"starts_on": march(16), "ends_on": date(2026, 4, 3)}
    wanted = Postponement(ground=Ground.OTHER, reason="授课教师另有任务。", **days)
    changed = await interruptions.postpone(platform, XINGTAI, opened.id, wanted)
    changed = await interruptions.approve(platform, HEBEI, changed.id, Review(seen=1))
    with pytest.raises(DaysFixed, match="撤销变更"):
        await service.approve(platform, HEBEI, waits.id)
    await service.retract(platform, XINGTAI, waits.id, "改为申请延期。")
    with pytest.raises(DaysFixed):
        await ask(platform, opened, ends_on=march(27))
    why = Revocation(seen=len(changed.history), reason="授课教师按期到班。")
    back = await interruptions.revoke(platform, XINGTAI, changed.id, why)
    await interruptions.approve(platform, HEBEI, back.id, Review(seen=1))
    assert (await ask(platform, opened, starts_on=march(17))).wanted == {"starts_on": "2026-03-17"}


async def test_corrected_days_put_nobody_into_two_classrooms(
    platform: Platform, opened: ClassInSession
) -> None:
    """The same people in a class of 邢台 that begins on 30 March: asked with the request, and again with the approval."""
    asked = await ask(platform, opened, ends_on=march(31))
    april = {"name": "2026年4月三级教师培训班", "starts_on": march(30), "ends_on": date(2026, 4, 10)}
    later = await stage.open_class(platform, XINGTAI, stage.class_draft(**april))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, later.id, cast.people(2)[:1])
    one = cast.people(2)[0]
    with pytest.raises(DatesClash, match=f"{one.name}已在“{later.name}”"):
        await service.approve(platform, HEBEI, asked.id)
    await service.retract(platform, XINGTAI, asked.id, "日期不改了。")
    with pytest.raises(DatesClash):
        await ask(platform, opened, ends_on=march(30))
    assert (await ask(platform, opened, ends_on=march(29))).wanted == {"ends_on": "2026-03-29"}


async def test_no_certificate_states_days_that_do_not_span_what_was_held(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """第十七条（一）: 培训时间 is a fact; also of a class whose days an earlier version had corrected."""
    clock.set(certifying.on_last_day(opened))
    await certifying.release(platform, opened.id)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"starts_on": "2026-03-25"}})
    with pytest.raises(DaysNotTrue, match="实际上课是"):
        await issue.issue_certificates(platform, XINGTAI, opened.id)
    assert "实际上课是" in (await issue.class_certificates(platform, XINGTAI, opened.id)).hindrance


async def test_the_nightly_check_finds_a_certificate_whose_days_are_not_those_of_its_sessions(
    platform: Platform, wechat: Simulator
) -> None:
    """第十八条（二）账实相符: each class once, until it is right."""
    held = await certifying.passed_class(platform, wechat, trainees=2)
    papers = await certifying.issued(platform, held)
    assert (await reconcile.reconcile(platform))["不符"] == 0
    ids = {"_id": {"$in": [one.id for one in papers]}}
    early = {"printed.training_from": "2025-12-01", "printed.training_to": "2025-12-12"}
    await platform["certificates"].update_many(ids, {"$set": early})
    await reconcile.reconcile(platform)
    [found] = [one for one in await reconcile.findings(platform, XINGTAI) if one.kind == "DAYS"]
    assert found.subject == held.id and "2025-12-01 至 2025-12-12" in found.detail
