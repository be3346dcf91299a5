"""Admission notice, pledge and arrival, and what the centre and a class ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts.people import persons
from server.accounts.rules import Evidence
from server.admissions import applying, arrival, needs
from server.admissions import service as admissions
from server.admissions.needs import NoNeedsYet, NoteDraft, TemplateDraft
from server.admissions.rules import DISCIPLINE_VERSION, ArrivalStands, PledgeMissing, PledgeOutdated
from server.attendance import rolls
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.rolls import LateRegistration
from server.classes import service as classes
from server.classes.rules import NotArrived
from server.identities import service as identities
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import (
    admit,
    apply,
    clock_of,
    draft_of,
    enrolment_draft,
    made_by_an_application,
    open_class,
)
from tests.progressing import steps


async def evidence_of(platform: Platform, person_id: str) -> Evidence:
    return Evidence((await persons(platform, [person_id]))[person_id].evidence)


async def test_opening_the_notice_is_recorded_once_and_the_pledge_with_its_text(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.person(31)])
    first = platform.clock.now()
    notice = await arrival.open_notice(platform, phone.actor, opened.id)
    clock_of(platform).advance(timedelta(hours=1))
    again = await arrival.open_notice(platform, phone.actor, opened.id)
    for seen in (notice, again):
        assert seen.arrival is not None and seen.arrival.notice_opened_at == first
    with pytest.raises(PledgeOutdated):
        await arrival.sign_pledge(platform, phone.actor, opened.id, DISCIPLINE_VERSION + 1)
    signed = await arrival.sign_pledge(platform, phone.actor, opened.id, DISCIPLINE_VERSION)
    clock_of(platform).advance(timedelta(hours=1))
    assert await arrival.sign_pledge(platform, phone.actor, opened.id, DISCIPLINE_VERSION) == signed
    assert (signed.pledge_version, signed.pledged_at) == (DISCIPLINE_VERSION, first + timedelta(hours=1))


async def test_the_notice_is_a_pdf_with_its_facts(platform: Platform, wechat: Simulator) -> None:
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.person(31)])
    assert (await arrival.my_notice_pdf(platform, phone.actor, opened.id)).startswith(b"%PDF")
    await arrival.sign_pledge(platform, phone.actor, opened.id, DISCIPLINE_VERSION)
    assert (await arrival.my_notice_pdf(platform, phone.actor, opened.id)).startswith(b"%PDF")


async def test_an_arrival_needs_the_pledge_and_makes_the_identity_staff_confirmed(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    signer, writer = await admit(platform, wechat, opened, [cast.person(31), cast.person(32)])
    await arrival.sign_pledge(platform, signer.actor, opened.id, DISCIPLINE_VERSION)

    async def confirm(person_id: str, *, on_paper: bool = False) -> None:
        await arrival.confirm_arrival(
            platform, opened.officer, opened.id, person_id, pledge_on_paper=on_paper
        )

    await confirm(signer.actor.person_id)
    with pytest.raises(PledgeMissing):
        await confirm(writer.actor.person_id)
    await confirm(writer.actor.person_id, on_paper=True)
    await confirm(writer.actor.person_id, on_paper=True)
    for one in (signer, writer):
        assert await evidence_of(platform, one.actor.person_id) is Evidence.STAFF_CONFIRMED
        enrolment = await classes.trainee(platform, opened.id, one.actor.person_id)
        assert (enrolment.arrived_at, enrolment.arrival_by) == (platform.clock.now(), opened.officer.name)
    entries = await audit.of_subject(platform, opened.id, limit=30)
    assert [one["action"] for one in entries].count("admissions:confirm-arrival") == 2


async def test_an_arrival_is_undone_on_the_same_day_only_and_the_evidence_with_it(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.person(31)])
    person_id = phone.actor.person_id

    async def confirm() -> None:
        await arrival.confirm_arrival(platform, opened.officer, opened.id, person_id, pledge_on_paper=True)

    await confirm()
    await arrival.undo_arrival(platform, opened.officer, opened.id, person_id, "认错了人")
    assert await evidence_of(platform, person_id) is Evidence.FORMAT_OK
    assert (await classes.trainee(platform, opened.id, person_id)).arrived_at is None
    with pytest.raises(ArrivalStands):
        await arrival.undo_arrival(platform, opened.officer, opened.id, person_id, "再撤一次")
    await confirm()
    clock_of(platform).advance(timedelta(days=1))
    with pytest.raises(ArrivalStands):
        await arrival.undo_arrival(platform, opened.officer, opened.id, person_id, "第二天")
    [row] = await arrival.class_arrivals(platform, opened.id)
    assert row.arrival is not None
    assert [one.action for one in row.arrival.history] == ["CONFIRM", "UNDO", "CONFIRM"]


async def test_somebody_at_the_desk_is_found_by_name_number_or_code_and_the_last_one_can_be_undone(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    people = [cast.person(31), cast.person(32)]
    first, second = await admit(platform, wechat, opened, people)

    async def found(words: str) -> list[str]:
        seen = await arrival.desk(platform, opened.officer, opened.id, words=words)
        return [one.enrolment.person_id for one in seen.found]

    one, other = first.actor.person_id, second.actor.person_id
    for words in (people[0].name, people[0].name[1:], people[0].id_number, people[0].id_number[-4:].lower()):
        assert await found(words) == [one], words
    assert await found(people[0].name[1]) == [one, other], "two of one part of a name are both shown"
    for words in ("", "1", "无此人", people[0].id_number[:17] + "*"):
        assert await found(words) == [], words
    for person_id in (one, other):
        await arrival.confirm_arrival(platform, opened.officer, opened.id, person_id, pledge_on_paper=True)
        clock_of(platform).advance(timedelta(minutes=1))
    code = await identities.issue_code(platform, opened.officer, opened.id, other)
    assert await found(code.lower()) == [other]
    desk = await arrival.desk(platform, opened.officer, opened.id)
    assert desk.arrived == 2 and desk.last is not None and desk.last.enrolment.person_id == other
    with pytest.raises(NotFound):
        await arrival.desk(platform, stage.actor(cast.YANGZHOU_OFFICER), opened.id, words=people[0].name)


async def test_no_arrival_no_check_in_where_the_class_was_applied_for(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    await made_by_an_application(platform, opened.id)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    trainee = await stage.phone(platform, wechat, "openid-a", cast.TRAINEE)
    session = await stage.teaching_session(platform, opened)
    clock_of(platform).set(session.starts_at)
    desk = CheckInDesk(platform)
    with pytest.raises(NotArrived):
        await desk.check_in(trainee.actor, Scan(stage.code_of(platform, session), "nonce-1"))
    late = LateRegistration(person_id=trainee.actor.person_id, reason="手机没电")
    with pytest.raises(NotArrived):
        await rolls.register_late_as_teacher(platform, opened.teacher.actor, session.id, late)
    await arrival.confirm_arrival(
        platform, opened.officer, opened.id, trainee.actor.person_id, pledge_on_paper=True
    )
    done = await desk.check_in(trainee.actor, Scan(stage.code_of(platform, session), "nonce-2"))
    assert done.new


async def test_the_arrivals_of_a_class_do_not_exist_for_a_neighbour(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.person(31)])
    yangzhou = stage.actor(cast.YANGZHOU_OFFICER)
    person_id = phone.actor.person_id
    with pytest.raises(NotFound):
        await arrival.confirm_arrival(platform, yangzhou, opened.id, person_id, pledge_on_paper=True)
    with pytest.raises(NotFound):
        await arrival.undo_arrival(platform, yangzhou, opened.id, person_id, "看看")
    with pytest.raises(NotFound):
        await needs.add_note(platform, yangzhou, opened.id, NoteDraft(text="看看别人的班"))
    outsider, _ = await apply(platform, wechat, opened.id, cast.person(33))
    with pytest.raises(NotFound):
        await arrival.my_notice(platform, outsider.actor, opened.id)
    with pytest.raises(NotFound):
        await arrival.sign_pledge(platform, outsider.actor, opened.id, DISCIPLINE_VERSION)


async def test_who_has_not_arrived_waits_on_the_home_page_once_the_class_has_begun(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    first, _ = await admit(platform, wechat, opened, [cast.person(31), cast.person(32)])
    assert "arrivals" not in await steps(platform, opened.officer, opened.id)
    clock_of(platform).advance(timedelta(days=28))
    await arrival.confirm_arrival(
        platform, opened.officer, opened.id, first.actor.person_id, pledge_on_paper=True
    )
    waits = (await steps(platform, opened.officer, opened.id))["arrivals"]
    today = beijing_date(platform.clock.now())
    assert waits.title.startswith("办理报到：1 名") and waits.url == f"/admin/classes/{opened.id}/arrivals"
    assert not waits.overdue_on(today) and waits.overdue_on(today + timedelta(days=1))


# ---- needs analysis


async def test_a_class_asks_what_the_template_said_when_it_opened_and_its_own(
    platform: Platform, wechat: Simulator
) -> None:
    centre = stage.actor(cast.CENTRE)
    new = TemplateDraft(questions="您的教龄|五年以内|五年以上\n您最想学什么", reason="精简问卷")
    assert (await needs.set_template(platform, centre, new)).version == 1
    with pytest.raises(Invalid):
        await needs.set_template(platform, centre, new)
    opened = await open_class(platform, wechat, questions="是否住宿｜住宿｜不住宿")
    await needs.set_template(platform, centre, TemplateDraft(questions="只有一题", reason="再次精简"))
    answers = {"t1": "五年以上", "t2": "学习任务设计", "c1": "住宿"}
    phone = await stage.phone(platform, wechat, "openid-n")
    draft = draft_of(cast.person(31), answers=answers)
    await applying.apply(platform, phone.actor, opened.id, draft)
    found = await needs.needs_of_class(platform, opened.id)
    assert [one.question.title for one in found.answered] == ["您的教龄", "您最想学什么", "是否住宿"]
    assert found.answered[0].counts == [("五年以内", 0), ("五年以上", 1)]
    assert found.answered[1].texts == ["学习任务设计"]
    changed = enrolment_draft(platform, questions="换一题")
    with pytest.raises(Invalid):
        await admissions.open_enrolment(platform, opened.officer, opened.id, changed)
    same = enrolment_draft(platform, questions="是否住宿｜住宿｜不住宿", places=9)
    await admissions.open_enrolment(platform, opened.officer, opened.id, same)
    kept = (await needs.needs_of_class(platform, opened.id)).admission
    assert kept is not None and len(kept.questions) == 3


async def test_what_was_changed_because_of_the_needs_is_kept_with_author_and_time(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    note = NoteDraft(text="增加学习任务分析的课时。")
    with pytest.raises(NoNeedsYet):
        await needs.add_note(platform, opened.officer, opened.id, note)
    await admissions.open_enrolment(
        platform,
        opened.officer,
        opened.id,
        enrolment_draft(platform, closes=platform.clock.now() + timedelta(days=2)),
    )
    for actor in (opened.officer, opened.teacher.actor):
        await needs.add_note(platform, actor, opened.id, note)
    kept = (await needs.needs_of_class(platform, opened.id)).admission
    assert kept is not None
    assert [one.author_name for one in kept.notes] == [opened.officer.name, opened.teacher.actor.name]
