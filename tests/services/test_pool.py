"""The pool of backbone teachers: who is in it, in which status, and what follows from that (article 9.1)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from server.accounts import phones
from server.backbone import service as backbone
from server.backbone import store
from server.backbone.documents import PoolFilter, PoolMember
from server.backbone.rules import (
    PoolStatus,
    Proof,
    Sought,
    StatusNotPossible,
    YearFigures,
    mark,
    marks,
    tasks_mark,
)
from server.backbone.service import AlreadyInPool, StatusDraft
from server.certificates.documents import CertificateStatus
from server.classes.rules import Kind
from server.invitations import recommendation
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft, NotInvitable
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.grams import grams
from server.kernel.identity import Role
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.selection import entry, pool
from server.selection.entry import Registration
from server.surveys import tallies as survey_tallies
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.reviewing import HEARD
from tests.selecting import SERVED, through
from tests.surveying import answer, clock_of, let_it_end, open_survey

CENTRE = stage.actor(cast.CENTRE)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
TODAY = date(2026, 3, 16)


@transactional
async def decide(unit: UnitOfWork, person_id: str, status: PoolStatus, day: date = TODAY) -> PoolMember:
    return await backbone.change_status(unit, person_id, status, day, "年度审核决定", hearing=HEARD)


async def status_of(platform: Platform, person_id: str) -> PoolStatus:
    member = await backbone.teacher_in_pool(platform, person_id)
    assert member is not None
    return member.status


async def is_backbone_on_the_phone(platform: Platform, phone: stage.Phone) -> bool:
    actor = await phones.PhoneAuthenticator(platform).actor_of(phone.token)
    return Role.BACKBONE_TEACHER in actor.roles


async def test_a_suspended_teacher_is_not_invited_and_not_recommended(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    opened = await stage.open_class(
        platform, XINGTAI, stage.class_draft(starts_on=date(2026, 4, 13), ends_on=date(2026, 4, 17))
    )
    await decide(platform, CENTRE, teacher, PoolStatus.SUSPENDED)
    seen = await invitations.invitations_of_class(platform, XINGTAI, opened.id)
    assert await recommendation.recommend(platform, XINGTAI, seen) == []
    with pytest.raises(NotInvitable, match=r"not-invitable.*暂停"):
        await invitations.send(
            platform, XINGTAI, opened.id, InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher])
        )
    await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
    assert [one.person_id for one in await recommendation.recommend(platform, XINGTAI, seen)] == [teacher]


@pytest.mark.parametrize(("day", "possible"), [(date(2026, 4, 17), False), (date(2026, 4, 18), True)])
async def test_whoever_is_suspended_before_a_class_ends_is_not_invited_to_it(
    platform: Platform, day: date, possible: bool
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    opened = await stage.open_class(
        platform, XINGTAI, stage.class_draft(starts_on=date(2026, 4, 13), ends_on=date(2026, 4, 17))
    )
    await decide(platform, CENTRE, teacher, PoolStatus.SUSPENDED, day)
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher])
    if possible:
        [sent] = await invitations.send(platform, XINGTAI, opened.id, draft)
        assert sent.teacher_id == teacher
    else:
        with pytest.raises(NotInvitable, match="2026-04-17"):
            await invitations.send(platform, XINGTAI, opened.id, draft)


async def test_the_role_on_the_phone_follows_the_status(platform: Platform, wechat: Simulator) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    phone = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    assert await is_backbone_on_the_phone(platform, phone)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED)
    assert not await is_backbone_on_the_phone(platform, phone)
    await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
    assert await is_backbone_on_the_phone(platform, phone)


async def test_a_status_of_a_later_day_takes_effect_on_that_day_and_once(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED, TODAY + timedelta(days=2))
    assert await backbone.apply_due(platform) == 0
    assert await status_of(platform, teacher) is PoolStatus.ACTIVE
    clock.advance(timedelta(days=3))
    assert await backbone.apply_due(platform) == 1
    member = await backbone.teacher_in_pool(platform, teacher)
    assert member is not None
    assert (member.status, member.status_since) == (PoolStatus.CANCELLED, TODAY + timedelta(days=2))
    assert await backbone.apply_due(platform) == 0


async def test_a_later_decision_takes_back_what_has_not_taken_effect(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED, TODAY + timedelta(days=2))
    await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)
    clock.advance(timedelta(days=3))
    assert await backbone.apply_due(platform) == 0
    assert await status_of(platform, teacher) is PoolStatus.ACTIVE


async def test_a_status_that_is_there_already_is_not_decided_again(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    with pytest.raises(StatusNotPossible):
        await decide(platform, CENTRE, teacher, PoolStatus.ACTIVE)


# ---- registration


def registration(person: cast.Person, **changes: object) -> Registration:
    """Of somebody from before the platform, unless the changes say otherwise."""
    paper = {
        "proof": Proof.PAPER,
        "paper_number": "人社培试〔2022〕7 号",
        "paper_dated_on": date(2022, 12, 20),
    }
    said = Registration(
        name=person.name,
        id_number=person.id_number,
        province_code=cast.HEBEI,
        work_unit=person.unit,
        majors=["01"],
    )
    return Registration.model_validate({**said.model_dump(), **paper, **changes})


async def test_a_teacher_is_registered_once(platform: Platform) -> None:
    await entry.register(platform, CENTRE, registration(cast.BACKBONE_TEACHER))
    with pytest.raises(AlreadyInPool):
        await entry.register(platform, CENTRE, registration(cast.BACKBONE_TEACHER))
    assert await names_found(platform) == [cast.BACKBONE_TEACHER.name]


async def test_two_registrations_at_once_make_one_member(platform: Platform) -> None:
    wanted = registration(cast.BACKBONE_TEACHER)
    both = await asyncio.gather(
        *(entry.register(platform, CENTRE, wanted) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, PoolMember) for one in both) == 1
    assert sum(isinstance(one, AlreadyInPool) for one in both) == 1


async def refused_at(platform: Platform, wanted: Registration) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        await entry.register(platform, CENTRE, wanted)
    return [one.place for one in refusal.value.fields]


async def test_a_certificate_is_looked_up_in_the_ledger(platform: Platform) -> None:
    _, new = await through(platform, [SERVED, cast.person(32)])
    number = {one.name: one.certificate_number for one in new.passed}[SERVED.name]
    of_the_ledger = {"proof": Proof.LEDGER, "paper_number": "", "paper_dated_on": None}
    for wrong in ("", "32017202212G001", number.replace("G", "3"), number[:-1]):
        assert await refused_at(
            platform, registration(SERVED, **of_the_ledger, certificate_number=wrong)
        ) == ["certificate_number"]
    other = registration(cast.BACKBONE_TEACHER, **of_the_ledger, certificate_number=number)
    assert await refused_at(platform, other) == ["certificate_number"]
    assert await names_found(platform) == []
    typed = f" {number[:5]} {number[5:].lower()} "
    member = await entry.register(
        platform, CENTRE, registration(SERVED, **of_the_ledger, certificate_number=typed)
    )
    assert (member.certificate_number, member.proof, member.paper_number) == (number, Proof.LEDGER, "")


async def test_a_revoked_certificate_registers_nobody(platform: Platform) -> None:
    _, new = await through(platform, [SERVED])
    [passed] = new.passed
    await platform["certificates"].update_one(
        {"printed.number": passed.certificate_number}, {"$set": {"status": CertificateStatus.REVOKED}}
    )
    wanted = registration(SERVED, proof=Proof.LEDGER, certificate_number=passed.certificate_number)
    assert await refused_at(platform, wanted) == ["certificate_number"]


async def test_a_teacher_from_before_the_platform_rests_on_a_paper_that_is_named(
    platform: Platform, clock: FixedClock
) -> None:
    tomorrow = beijing_date(clock.now()) + timedelta(days=1)
    for changes, places in (
        ({"paper_number": " "}, ["paper_number"]),
        ({"paper_dated_on": None}, ["paper_dated_on"]),
        ({"paper_dated_on": tomorrow}, ["paper_dated_on"]),
        ({"paper_number": "", "paper_dated_on": None}, ["paper_number", "paper_dated_on"]),
        ({"proof": Proof.UNCHECKED}, ["proof"]),
    ):
        assert await refused_at(platform, registration(cast.BACKBONE_TEACHER, **changes)) == places
    wanted = registration(cast.BACKBONE_TEACHER, certificate_number="32017202212G001")
    member = await entry.register(platform, CENTRE, wanted)
    assert (member.proof, member.certificate_number) == (Proof.PAPER, None)
    assert (member.paper_number, member.paper_dated_on) == ("人社培试〔2022〕7 号", date(2022, 12, 20))


# ---- search


async def names_found(platform: Platform, **conditions: Any) -> list[str]:
    found = await backbone.list_pool(platform, XINGTAI, PoolFilter(**conditions))
    return [one.name for one in found]


async def test_the_pool_is_found_by_parts_of_name_and_unit(platform: Platform) -> None:
    for person in (cast.BACKBONE_TEACHER, cast.SECOND_BACKBONE_TEACHER):
        await stage.register_backbone(platform, person)
    first, second = cast.BACKBONE_TEACHER, cast.SECOND_BACKBONE_TEACHER
    assert await names_found(platform, words="技师学院") == [second.name, first.name]
    assert await names_found(platform, words="邢台") == [first.name]
    assert await names_found(platform, words=f"{second.name[0]} 常州") == [second.name]
    assert await names_found(platform, words="州常") == []
    assert await names_found(platform, words="学院技师") == []  # all pairs are there, not in this order
    assert await names_found(platform, words="x.*") == []


async def test_the_pool_is_found_by_province_major_status_and_certificate(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await platform["backbone_teachers"].update_one(
        {"_id": teacher}, {"$set": {"certificate_number": "32017202212G001"}}
    )
    other = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER, ("02",))
    await decide(platform, CENTRE, other, PoolStatus.SUSPENDED)
    first, second = cast.BACKBONE_TEACHER.name, cast.SECOND_BACKBONE_TEACHER.name
    assert await names_found(platform, major="02") == [second]
    assert await names_found(platform, province_code=cast.JIANGSU) == []
    assert await names_found(platform, status=PoolStatus.SUSPENDED) == [second]
    assert await names_found(platform, certificate_number="32017202212G001") == [first]
    assert await names_found(platform, certificate_number="32017202212G002") == []


async def test_a_corrected_name_is_found(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)

    @transactional
    async def rename(unit: UnitOfWork) -> None:
        await backbone.rename(unit, teacher, "古丽·试例")
        unit.audit("corrections:apply", teacher)

    await rename(platform, CENTRE)
    assert await names_found(platform, words="古丽") == ["古丽·试例"]
    assert await names_found(platform, words=cast.BACKBONE_TEACHER.name) == []


@pytest.mark.parametrize(
    "conditions",
    [
        {"words": "技师学院"},
        {"marks": (tasks_mark(2026, 2),)},
        {"status": PoolStatus.ACTIVE},
        {"major": "01"},
        {"province_code": cast.HEBEI},
        {"certificate_number": "32017202212G001"},
        {"marks": (mark(2026, Sought.BELOW),), "words": "邢台", "province_code": cast.HEBEI},
        {},
    ],
)
async def test_a_page_of_the_pool_is_read_off_an_index(
    platform: Platform, conditions: dict[str, Any]
) -> None:
    rows = [a_row(number) for number in range(400)]
    await platform["backbone_teachers"].insert_many(rows)
    condition = store._condition(PoolFilter(**conditions))
    found = platform["backbone_teachers"].find(condition).sort("_id", -1).limit(31)
    plan = (await found.explain())["queryPlanner"]["winningPlan"]
    assert "COLLSCAN" not in str(plan)


def a_row(number: int) -> Row:
    figures = [YearFigures(year=2026, teaching=number % 5)]
    unit = "邢台技师学院" if number % 40 == 0 else "示例市高级技工学校"
    return PoolMember(
        proof=Proof.PAPER,
        name=f"试{number}",
        id_number_masked="130***********1234",
        province_code=cast.HEBEI if number % 10 else cast.JIANGSU,
        work_unit=unit,
        majors=["01"],
        registered_at=stage.LONG_AGO,
        registered_by="部试甲",
        figures=figures,
        marks=marks(figures),
        grams=grams(f"试{number}", unit),
    ).to_mongo()


# ---- figures


async def test_tasks_and_satisfaction_of_the_years_are_kept_and_searched(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=5)
    await stage.teaching_session(platform, held)
    teacher = held.teacher.actor.id
    idle = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    survey = await open_survey(platform, held)
    await answer(platform, survey, held.trainees, points=2)
    assert await pool.refresh_figures(platform) == 2  # the years before are kept too
    assert await pool.refresh_figures(platform) == 0
    await let_it_end(platform, survey)
    clock_of(platform).advance(timedelta(days=30))
    await survey_tallies.tally_closed(platform)
    assert await pool.refresh_figures(platform) == 1
    this_year = (await backbone.member_of_pool(platform, teacher)).figures_of(2026)
    assert (this_year.teaching, this_year.assessment, this_year.mean) == (1, 0, "2.00")
    taught = cast.BACKBONE_TEACHER.name
    assert await names_found(platform, marks=(tasks_mark(2026, 1),)) == [taught]
    assert await names_found(platform, marks=(mark(2026, Sought.MET),)) == [taught]
    assert await names_found(platform, marks=(tasks_mark(2026, 2),)) == []
    assert await names_found(platform, marks=(mark(2026, Sought.NO_TASK),)) == [
        (await backbone.member_of_pool(platform, idle)).name
    ]
    record = await pool.record(platform, XINGTAI, teacher)
    assert record.years[0] == this_year
    assert [(one.class_id, one.kind) for one in record.tasks] == [(held.id, Kind.TEACHING)]


async def test_satisfaction_below_the_smallest_group_is_shown_to_nobody(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, held)
    await answer(platform, survey, held.trainees[:4], points=1)
    await let_it_end(platform, survey)
    await survey_tallies.tally_closed(platform)
    for actor in (CENTRE, XINGTAI):
        record = await pool.record(platform, actor, held.teacher.actor.id)
        assert record.years[0].mean == "" and record.years[0].answers == 0


# ---- who sees what of a teacher


async def test_an_institution_sees_no_number_and_no_reason(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)  # of 河北
    await decide(platform, CENTRE, teacher, PoolStatus.SUSPENDED)
    for actor, knows in (
        (CENTRE, True),
        (stage.actor(cast.HEBEI_OFFICER), True),
        (stage.actor(cast.JIANGSU_OFFICER), False),
        (XINGTAI, False),
        (stage.actor(cast.CHANGZHOU_OFFICER), False),
    ):
        record = await pool.record(platform, actor, teacher)
        assert (record.masked_number, bool(record.history)) == (knows, knows)
        assert record.member.status is PoolStatus.SUSPENDED


async def test_a_whole_number_is_shown_once_and_the_look_is_noted(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    number = await backbone.look_at_id_number(platform, CENTRE, teacher)
    assert number == cast.BACKBONE_TEACHER.id_number
    entry = await platform["audit"].find_one({"action": "backbone:look-at-id-number"})
    assert entry is not None
    assert (entry["subject"], entry["actor_name"]) == (teacher, cast.CENTRE.name)
    assert number not in str(entry)


async def test_the_centre_suspends_with_a_reason_and_the_teacher_is_told(platform: Platform) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    wanted = StatusDraft(effective_on=TODAY, reason="接受组织调查")
    assert (await backbone.suspend(platform, CENTRE, teacher, wanted)).status is PoolStatus.SUSPENDED
    assert (await backbone.resume(platform, CENTRE, teacher, wanted)).status is PoolStatus.ACTIVE
    assert await platform["outbox"].count_documents({"template": "pool-status"}) == 2
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED)
    with pytest.raises(StatusNotPossible, match="动态管理"):
        await backbone.resume(platform, CENTRE, teacher, wanted)
    with pytest.raises(NotFound):
        await backbone.suspend(platform, CENTRE, "0" * 24, wanted)


async def test_the_centre_neither_suspends_nor_resumes_past_a_decided_cancellation(
    platform: Platform, clock: FixedClock
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await decide(platform, CENTRE, teacher, PoolStatus.CANCELLED, TODAY + timedelta(days=9))
    for act in (backbone.suspend, backbone.resume):
        for day in (TODAY, TODAY + timedelta(days=20)):
            with pytest.raises(StatusNotPossible, match="取消"):
                await act(platform, CENTRE, teacher, StatusDraft(effective_on=day, reason="另有安排"))
    clock.advance(timedelta(days=9))
    await backbone.apply_due(platform)
    assert await status_of(platform, teacher) is PoolStatus.CANCELLED
