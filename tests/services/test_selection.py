"""The selection of backbone teachers on the real database: recommended, accepted, trained, reported, registered (articles 7, 9 and 4.2)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from server.accounts.people import NameDiffers
from server.accounts.rules import IdNumberInvalid
from server.admissions import roster
from server.admissions.roster import Reason
from server.admissions.roster_rules import OfTheSelection
from server.assessment import submissions
from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.backbone.service import AlreadyInPool
from server.certificates import service as certificates
from server.certificates.issue import Revocation
from server.classes import facts as class_facts
from server.classes import service as classes
from server.classes.enrolment import DatesClash, NoPlaceLeft
from server.institutions.rules import Level
from server.kernel import policies
from server.kernel.clock import FixedClock
from server.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import NotInThisState, Overtaken, Review
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.reissues import revoking
from server.selection import registration, training
from server.selection import service as selection
from server.selection.documents import Nominee
from server.selection.forget import forget_nominees
from server.selection.registration import (
    DecisionDraft,
    DecisionNumberTaken,
    ListOpen,
    ListOutdated,
    NobodyFailed,
    NobodyToReport,
    RegisteredMeanwhile,
    Report,
)
from server.selection.rules import (
    ListState,
    MajorDiffers,
    NotABackboneClass,
    NotEligible,
    State,
)
from server.selection.service import (
    PAPER_LARGEST,
    AlreadyRecommended,
    Return,
    TooManyPapers,
    Withdrawal,
)
from server.selection.training import AlreadyInClass, CandidateGone, EnrolDraft, Release
from server.upgrades import s0011_candidates_say_whence
from server.uploads.file_types import FileTypeRefused
from tests import cast, stage
from tests.assessing import PDF, docx
from tests.progressing import waits
from tests.selecting import (
    CENTRE,
    CHANGZHOU,
    HEBEI,
    JIANGSU,
    SERVED,
    XINGTAI,
    YANGZHOU,
    accepted,
    backbone_class,
    certified,
    drafted,
    enrolled,
    nominee_draft,
    registered,
    reported,
    submitted,
    through,
)

SECOND, THIRD = cast.person(32), cast.person(33)


async def files_kept(platform: Platform) -> int:
    return await platform["files.files"].count_documents({})


async def state_of(platform: Platform, nominee_id: str) -> State:
    return (await selection.nominee(platform, HEBEI, nominee_id)).state


# ---- the province


async def test_a_province_drafts_attaches_the_form_and_submits(platform: Platform) -> None:
    found = await submitted(platform)
    assert (found.state, found.province_code, [one.name for one in found.papers]) == (
        State.SUBMITTED,
        cast.HEBEI,
        ["推荐表.pdf"],
    )
    assert found.submitted_at == platform.clock.now()
    row = await platform["nominees"].find_one({})
    assert row is not None and SERVED.id_number not in str(row)


async def test_the_database_holds_no_date_of_birth_in_clear(platform: Platform) -> None:
    """Beside the masked number it would give the whole one."""
    found = await submitted(platform)
    row = await platform["nominees"].find_one({"_id": found.id})
    born_on = cast.person(31).id_number[6:14]
    assert row is not None
    for written in (born_on, f"{born_on[:4]}-{born_on[4:6]}-{born_on[6:]}"):
        assert written not in str({**row, "id_number": None})
    age = await selection.age(platform, found)
    assert age is not None and abs(age - (platform.clock.now().year - int(born_on[:4]))) <= 1


async def test_nobody_but_a_province_recommends(platform: Platform) -> None:
    for actor in (CENTRE, CHANGZHOU, XINGTAI):
        with pytest.raises(Forbidden):
            await selection.begin(platform, actor, nominee_draft())


async def test_a_number_with_a_wrong_check_character_is_refused(platform: Platform) -> None:
    last = "0" if SERVED.id_number[-1] != "0" else "1"
    with pytest.raises(IdNumberInvalid):
        await selection.begin(platform, HEBEI, nominee_draft(id_number=SERVED.id_number[:-1] + last))


async def test_a_teacher_has_one_open_recommendation_in_the_whole_country(platform: Platform) -> None:
    mine = await drafted(platform)
    with pytest.raises(AlreadyRecommended):
        await selection.begin(platform, JIANGSU, nominee_draft())
    await selection.withdraw(platform, HEBEI, mine.id, Withdrawal())
    again = await selection.begin(platform, JIANGSU, nominee_draft())
    assert again.province_code == cast.JIANGSU


async def test_whoever_is_in_the_pool_is_not_recommended_again(platform: Platform) -> None:
    await stage.register_backbone(platform, SERVED)
    with pytest.raises(AlreadyInPool):
        await selection.begin(platform, HEBEI, nominee_draft())


async def test_a_number_known_under_another_name_is_refused(platform: Platform) -> None:
    await stage.register_backbone(platform, SERVED)
    with pytest.raises(NameDiffers):
        await selection.begin(platform, HEBEI, nominee_draft(name=SECOND.name))


async def test_what_does_not_meet_the_policies_is_not_submitted(platform: Platform) -> None:
    new = await selection.begin(platform, HEBEI, nominee_draft(years_of_teaching=4))
    change = PolicyChange(
        key="selection_certificate", value=2, effective_from=date(2026, 3, 16), reason="选拔条件"
    )
    await policies.change(platform, CENTRE, change)
    with pytest.raises(NotEligible) as refusal:
        await selection.submit(platform, HEBEI, new.id)
    assert {one.place for one in refusal.value.fields} == {"years_of_teaching", "held_level", "paper"}
    better = nominee_draft(years_of_teaching=5, held_level=Level.TWO)
    await selection.amend(platform, HEBEI, new.id, better, seen=1)
    await selection.add_paper(platform, HEBEI, new.id, "推荐表.pdf", PDF)
    assert (await selection.submit(platform, HEBEI, new.id)).state is State.SUBMITTED


async def test_a_held_certificate_of_the_platform_is_confirmed_by_it(platform: Platform) -> None:
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, [await accepted(platform)])
    await certified(platform, held)
    [one] = (await certificates.of_class(platform, held.id)).values()
    number = one.printed.number
    nominees = await selection.list_nominees(platform, HEBEI)
    await platform["nominees"].update_one({"_id": nominees[0].id}, {"$set": {"open": False}})
    known = nominee_draft(held_level=Level.BACKBONE, held_number=f" {number.lower()} ")
    assert (await selection.begin(platform, HEBEI, known)).held_confirmed
    unknown = nominee_draft(SECOND, held_level=Level.BACKBONE, held_number=number)
    assert not (await selection.begin(platform, HEBEI, unknown)).held_confirmed


# ---- papers


async def test_a_paper_is_known_by_its_content_and_nothing_of_a_refused_one_stays(platform: Platform) -> None:
    new = await selection.begin(platform, HEBEI, nominee_draft())
    with pytest.raises(FileTypeRefused):
        await selection.add_paper(platform, HEBEI, new.id, "推荐表.pdf", docx())
    with pytest.raises(FileTypeRefused):
        await selection.add_paper(platform, HEBEI, new.id, "推荐表.pdf", b"")
    with pytest.raises(TooLarge):
        await selection.add_paper(platform, HEBEI, new.id, "推荐表.pdf", PDF + bytes(PAPER_LARGEST))
    assert await files_kept(platform) == 0
    found = await selection.add_paper(platform, HEBEI, new.id, "../推荐表.exe", PDF)
    assert found.papers[0].name == "推荐表.exe.pdf"
    file = await selection.paper(platform, HEBEI, found.id, found.papers[0].id)
    assert b"".join([chunk async for chunk in file.content]) == PDF
    assert await platform["uploads"].count_documents({}) == 0


async def test_a_sixth_paper_is_refused_and_not_kept(platform: Platform) -> None:
    new = await selection.begin(platform, HEBEI, nominee_draft())
    for number in range(5):
        await selection.add_paper(platform, HEBEI, new.id, f"材料{number}.pdf", PDF)
    with pytest.raises(TooManyPapers):
        await selection.add_paper(platform, HEBEI, new.id, "材料.pdf", PDF)
    assert await files_kept(platform) == 5


async def test_a_paper_can_be_taken_off_a_draft_and_off_nothing_that_was_submitted(
    platform: Platform,
) -> None:
    new = await drafted(platform)
    removed = await selection.remove_paper(platform, HEBEI, new.id, new.papers[0].id)
    assert removed.papers == []
    kept = await submitted(platform, SECOND)
    with pytest.raises(NotInThisState, match="selection-state: "):
        await selection.remove_paper(platform, HEBEI, kept.id, kept.papers[0].id)
    with pytest.raises(NotInThisState, match="selection-state: "):
        await selection.add_paper(platform, HEBEI, kept.id, "补充.pdf", PDF)
    assert await submissions.remove_abandoned(platform) == 0


# ---- the centre


async def test_the_centre_returns_with_a_reason_and_accepts_the_amended_one(platform: Platform) -> None:
    found = await submitted(platform)
    returned = await selection.send_back(
        platform, CENTRE, found.id, Return(seen=len(found.history), reason="推荐表缺少盖章")
    )
    assert (returned.state, returned.returned_for) == (State.RETURNED, "推荐表缺少盖章")
    await selection.amend(platform, HEBEI, found.id, nominee_draft(post="讲师"), seen=len(returned.history))
    again = await selection.submit(platform, HEBEI, found.id)
    with pytest.raises(Overtaken, match="changed-meanwhile: "):
        await selection.accept(platform, CENTRE, found.id, Review(seen=len(found.history)))
    done = await selection.accept(platform, CENTRE, found.id, Review(seen=len(again.history)))
    assert (done.state, done.post) == (State.ACCEPTED, "讲师")


async def test_the_centre_sees_no_draft(platform: Platform) -> None:
    new = await drafted(platform)
    with pytest.raises(NotFound):
        await selection.nominee(platform, CENTRE, new.id)
    assert await selection.list_nominees(platform, CENTRE) == []
    assert len(await selection.list_nominees(platform, HEBEI)) == 1


async def test_the_neighbour_finds_nothing_of_a_recommendation(platform: Platform) -> None:
    found = await submitted(platform)
    for actor in (JIANGSU, YANGZHOU, XINGTAI, CHANGZHOU):
        with pytest.raises(NotFound):
            await selection.nominee(platform, actor, found.id)
    with pytest.raises(NotFound):
        await selection.withdraw(platform, JIANGSU, found.id, Withdrawal())
    with pytest.raises(NotFound):
        await selection.paper(platform, JIANGSU, found.id, found.papers[0].id)


async def test_the_numbers_by_province_are_counted(platform: Platform) -> None:
    await submitted(platform)
    await accepted(platform, SECOND)
    await drafted(platform, THIRD)
    await submitted(platform, cast.person(34), JIANGSU)
    assert [(one.province_code, one.total) for one in await selection.numbers(platform, CENTRE)] == [
        (cast.HEBEI, 2),
        (cast.JIANGSU, 1),
    ]
    [own] = await selection.numbers(platform, JIANGSU)
    assert (own.province_code, own.of(State.SUBMITTED), own.of(State.ACCEPTED)) == (cast.JIANGSU, 1, 0)


async def test_what_waits_is_told_to_whose_turn_it_is(platform: Platform) -> None:
    found = await submitted(platform)
    assert [one.count for one in await waits(platform, CENTRE, Nominee)] == [1]
    assert await waits(platform, HEBEI, Nominee) == []
    wanted = Return(seen=len(found.history), reason="请补充材料")
    await selection.send_back(platform, CENTRE, found.id, wanted)
    assert await waits(platform, CENTRE, Nominee) == []
    assert [one.count for one in await waits(platform, HEBEI, Nominee)] == [1]


# ---- the class


async def test_only_a_training_centre_sees_the_candidates_and_none_that_was_not_accepted(
    platform: Platform,
) -> None:
    await submitted(platform, SECOND)
    chosen = await accepted(platform)
    assert [one.id for one in await training.candidates(platform, CHANGZHOU)] == [chosen.id]
    assert await training.candidates(platform, CHANGZHOU, major="02") == []
    assert await training.candidates(platform, CHANGZHOU, province_code=cast.JIANGSU) == []
    for actor in (XINGTAI, HEBEI, CENTRE):
        with pytest.raises(Forbidden):
            await training.candidates(platform, actor)


async def test_candidates_go_into_the_class_all_or_nobody(platform: Platform) -> None:
    chosen = [await accepted(platform, one) for one in (SERVED, SECOND)]
    held = await backbone_class(platform, CHANGZHOU, places=1)
    with pytest.raises(NoPlaceLeft):
        await enrolled(platform, held, chosen)
    assert await classes.trainees(platform, held.id) == []
    await enrolled(platform, held, chosen[:1])
    [trainee] = await classes.trainees(platform, held.id)
    assert (trainee.name, trainee.work_unit) == (SERVED.name, SERVED.unit)
    moved = await selection.nominee(platform, HEBEI, chosen[0].id)
    assert (moved.state, moved.class_id, moved.person_id) == (State.ENROLLED, held.id, trainee.person_id)
    with pytest.raises(CandidateGone):
        await enrolled(platform, held, chosen)


async def test_who_came_by_the_selection_is_taken_out_there_and_not_off_the_roster(
    platform: Platform,
) -> None:
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, [await accepted(platform)])
    earlier = {"$unset": {"source": ""}, "$set": {"arrival_required": True}}
    await platform["enrolments"].update_many({}, earlier)
    assert [count async for count in s0011_candidates_say_whence.run(platform)] == [1]
    assert [count async for count in s0011_candidates_say_whence.run(platform)] == [0]
    [trainee] = await classes.trainees(platform, held.id)
    with pytest.raises(OfTheSelection):
        await roster.remove(platform, CHANGZHOU, held.id, trainee.person_id, Reason(reason="本人不来"))


async def test_two_training_centres_cannot_take_the_same_candidate(platform: Platform) -> None:
    chosen = await accepted(platform)
    first = await backbone_class(platform, CHANGZHOU)
    second = await backbone_class(platform, CHANGZHOU, name="第二个骨干教师培训班")
    taken = await asyncio.gather(
        *(enrolled(platform, held, [chosen]) for held in (first, second)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in taken) == ["CandidateGone", "NoneType"]
    assert await platform["enrolments"].count_documents({}) == 1


async def test_a_candidate_fits_the_level_the_major_and_the_dates_of_the_class(platform: Platform) -> None:
    chosen = await accepted(platform)
    ordinary = await stage.open_class(
        platform, CHANGZHOU, stage.class_draft(level=Level.ONE, name="2026年一级教师培训班")
    )
    with pytest.raises(NotABackboneClass):
        await enrolled(platform, ordinary, [chosen])
    other = await backbone_class(platform, CHANGZHOU, major="02")
    with pytest.raises(MajorDiffers):
        await enrolled(platform, other, [chosen])
    busy = await stage.open_class(
        platform, XINGTAI, stage.class_draft(starts_on=date(2026, 3, 30), ends_on=date(2026, 4, 1))
    )
    await stage.enrol(platform, cast.XINGTAI_OFFICER, busy.id, [SERVED])
    held = await backbone_class(platform, CHANGZHOU)
    with pytest.raises(DatesClash):
        await enrolled(platform, held, [chosen])


async def test_whoever_is_on_the_roster_already_is_named(platform: Platform) -> None:
    chosen = await accepted(platform)
    held = await backbone_class(platform, CHANGZHOU)
    await stage.enrol(platform, cast.CHANGZHOU_OFFICER, held.id, [SERVED])
    with pytest.raises(AlreadyInClass, match=SERVED.name):
        await enrolled(platform, held, [chosen])


async def test_another_institution_cannot_put_candidates_into_the_class(platform: Platform) -> None:
    chosen = await accepted(platform)
    held = await backbone_class(platform, CHANGZHOU)
    draft = EnrolDraft(class_id=held.id, nominee_ids=[chosen.id])
    with pytest.raises(Forbidden):
        await training.enrol(platform, YANGZHOU, draft)
    with pytest.raises(NotFound):
        await registration.class_selection(platform, YANGZHOU, held.id)
    with pytest.raises(NotFound):
        await training.of_class(platform, YANGZHOU, held.id)


async def test_before_the_class_begins_a_candidate_can_leave_it_again(
    platform: Platform, clock: FixedClock
) -> None:
    chosen = await accepted(platform)
    held = await backbone_class(platform, CHANGZHOU, places=1)
    await enrolled(platform, held, [chosen])
    back = await training.release(platform, CHANGZHOU, held.id, chosen.id, Release(reason="本人因病不能参加"))
    assert (back.state, back.class_id) == (State.ACCEPTED, None)
    told = await platform["outbox"].find_one({"person_id": back.person_id, "template": "selection-decided"})
    assert told is not None and told["data"]["reason"] == "本人因病不能参加"
    await enrolled(platform, held, [chosen])
    clock.advance(timedelta(days=7))
    with pytest.raises(Conflict):
        await training.release(platform, CHANGZHOU, held.id, chosen.id, Release(reason="本人因病不能参加"))


# ---- the list


async def test_the_list_holds_who_passed_and_holds_the_certificate(platform: Platform) -> None:
    chosen = [await accepted(platform, one) for one in (SERVED, SECOND)]
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, chosen)
    with pytest.raises(NobodyToReport):
        await reported(platform, held)
    failing = (await selection.nominee(platform, HEBEI, chosen[1].id)).person_id
    await certified(platform, held, failed=[failing or ""])
    new = await reported(platform, held)
    assert [(one.name, one.province_code) for one in new.passed] == [(SERVED.name, cast.HEBEI)]
    assert new.passed[0].certificate_number[11] == "G"
    assert await state_of(platform, chosen[0].id) is State.REPORTED
    assert await state_of(platform, chosen[1].id) is State.FAILED
    with pytest.raises(ListOpen):
        await reported(platform, held)


async def test_whoever_came_without_a_recommendation_needs_a_province(platform: Platform) -> None:
    held = await backbone_class(platform, CHANGZHOU)
    [person_id] = await stage.enrol(platform, cast.CHANGZHOU_OFFICER, held.id, [THIRD])
    await certified(platform, held)
    with pytest.raises(Invalid):
        await reported(platform, held)
    with pytest.raises(Invalid):
        await registration.report(
            platform, CHANGZHOU, held.id, Report(person_ids=[person_id], province_codes=["99"])
        )
    new = await registration.report(
        platform, CHANGZHOU, held.id, Report(person_ids=[person_id], province_codes=[cast.JIANGSU])
    )
    assert [(one.nominee_id, one.province_code) for one in new.passed] == [(None, cast.JIANGSU)]


async def test_the_centre_returns_a_list_and_the_institution_reports_it_again(platform: Platform) -> None:
    held, new = await through(platform, [SERVED, SECOND])
    returned = await registration.send_back(
        platform, CENTRE, new.id, Return(reason="请核对工作单位", seen=len(new.history))
    )
    assert (returned.state, returned.returned_for) == (ListState.RETURNED, "请核对工作单位")
    [_, second] = (await certificates.of_class(platform, held.id)).values()
    await revoking.revoke(
        platform, CHANGZHOU, second.id, Revocation(reason="证书信息有误", typed=second.printed.number)
    )
    again = await registration.resubmit(platform, CHANGZHOU, new.id, Report(note="已核对"))
    assert [one.name for one in again.passed] == [SERVED.name]
    states = [one.state for one in await training.of_class(platform, CHANGZHOU, held.id)]
    assert sorted(states) == [State.ENROLLED, State.REPORTED]


async def test_only_its_institution_reports_and_only_the_centre_registers(platform: Platform) -> None:
    held, new = await through(platform, [SERVED])
    draft = DecisionDraft(number="部指〔2026〕1号", decided_on=date(2026, 4, 3), seen=1)
    for actor in (HEBEI, JIANGSU, CHANGZHOU):
        with pytest.raises((Forbidden, NotFound)):
            await registration.register(platform, actor, new.id, draft)
    for actor in (CENTRE, YANGZHOU, JIANGSU):
        with pytest.raises((Forbidden, NotFound)):
            await registration.report(platform, actor, held.id, Report())
    with pytest.raises(NotFound):
        await registration.pass_list(platform, XINGTAI, new.id)


# ---- the decision


async def test_one_decision_registers_everybody_on_the_list(platform: Platform) -> None:
    _, new = await through(platform, [SERVED, SECOND])
    decision = await registered(platform, new)
    assert [one.name for one in decision.registered] == [SERVED.name, SECOND.name]
    for one in decision.registered:
        member = await backbone.member_of_pool(platform, one.person_id)
        assert (member.certificate_number, member.decision_id, member.majors) == (
            one.certificate_number,
            decision.id,
            ["01"],
        )
        assert (member.province_code, member.status) == (cast.HEBEI, PoolStatus.ACTIVE)
    nominees = await selection.list_nominees(platform, HEBEI)
    assert {one.state for one in nominees} == {State.REGISTERED}
    told = await platform["outbox"].count_documents({"template": "pool-registered"})
    assert told == 2
    with pytest.raises(NotInThisState, match="selection-state: "):
        await registered(platform, new, "部指〔2026〕2号")


async def test_those_in_the_pool_already_are_said_so_and_stay_as_they_are(platform: Platform) -> None:
    _, new = await through(platform, [SERVED, SECOND])
    person_id = await stage.register_backbone(platform, SECOND, ("02",))
    decision = await registered(platform, new)
    assert [one.already for one in decision.registered] == ["", "在库"]
    member = await backbone.member_of_pool(platform, person_id)
    assert (member.majors, member.decision_id) == (["02"], None)


async def test_a_number_of_a_decision_is_given_once(platform: Platform) -> None:
    _, first = await through(platform, [SERVED])
    await registered(platform, first)
    held = await backbone_class(
        platform,
        CHANGZHOU,
        name="第二期骨干教师培训班",
        starts_on=date(2026, 5, 11),
        ends_on=date(2026, 5, 22),
    )
    await enrolled(platform, held, [await accepted(platform, SECOND)])
    await certified(platform, held)
    second = await reported(platform, held)
    with pytest.raises(DecisionNumberTaken):
        await registered(platform, second, "部指〔2026〕 1号")
    assert (await registration.pass_list(platform, CENTRE, second.id)).state is ListState.SUBMITTED
    assert await platform["backbone_teachers"].count_documents({}) == 1


async def test_a_certificate_revoked_after_the_report_stops_the_registration(platform: Platform) -> None:
    held, new = await through(platform, [SERVED])
    [one] = (await certificates.of_class(platform, held.id)).values()
    await revoking.revoke(
        platform, CHANGZHOU, one.id, Revocation(reason="证书信息有误", typed=one.printed.number)
    )
    with pytest.raises(ListOutdated, match=SERVED.name):
        await registered(platform, new)
    assert await platform["backbone_teachers"].count_documents({}) == 0


async def test_a_name_corrected_after_the_report_is_registered_as_it_reads_now(platform: Platform) -> None:
    @transactional
    async def rename(unit: UnitOfWork, person_id: str) -> None:
        await class_facts.rename_person(unit, person_id, "古丽·试例")
        unit.audit("corrections:apply", person_id)

    _, new = await through(platform, [SERVED])
    await rename(platform, CENTRE, new.passed[0].person_id)
    decision = await registered(platform, new)
    member = await backbone.member_of_pool(platform, new.passed[0].person_id)
    assert [one.name for one in decision.registered] == [member.name] == ["古丽·试例"]


@pytest.mark.parametrize("day", [date(2026, 4, 2), date(2026, 4, 4)])
async def test_a_decision_is_dated_from_the_report_to_today(platform: Platform, day: date) -> None:
    _, new = await through(platform, [SERVED])
    draft = DecisionDraft(number="部指〔2026〕1号", decided_on=day, seen=len(new.history))
    with pytest.raises(Invalid):
        await registration.register(platform, CENTRE, new.id, draft)


async def test_two_registrations_at_once_make_one_decision(platform: Platform) -> None:
    _, new = await through(platform, [SERVED, SECOND])
    done = await asyncio.gather(
        registered(platform, new, "部指〔2026〕1号"),
        registered(platform, new, "部指〔2026〕2号"),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["Decision", "NotInThisState"]
    assert await platform["pool_decisions"].count_documents({}) == 1
    assert await platform["backbone_teachers"].count_documents({}) == 2


# ---- what has no list, and what is forgotten


async def test_where_nobody_passed_the_candidates_are_settled_and_can_be_recommended_again(
    platform: Platform,
) -> None:
    chosen = await accepted(platform)
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, [chosen])
    with pytest.raises(NobodyFailed):
        await registration.conclude(platform, CHANGZHOU, held.id)
    person_id = (await selection.nominee(platform, HEBEI, chosen.id)).person_id
    await certified(platform, held, failed=[person_id or ""])
    with pytest.raises(NobodyToReport):
        await reported(platform, held)
    with pytest.raises(Forbidden):
        await registration.conclude(platform, YANGZHOU, held.id)
    assert await registration.conclude(platform, CHANGZHOU, held.id) == 1
    assert await state_of(platform, chosen.id) is State.FAILED
    assert (await drafted(platform)).state is State.DRAFT


async def test_what_was_withdrawn_before_it_was_submitted_is_nothing_to_the_centre(
    platform: Platform,
) -> None:
    new = await drafted(platform)
    await selection.withdraw(platform, HEBEI, new.id, Withdrawal())
    assert await selection.list_nominees(platform, CENTRE) == []
    with pytest.raises(NotFound):
        await selection.nominee(platform, CENTRE, new.id)


async def test_the_trail_does_not_say_how_a_file_is_called(platform: Platform) -> None:
    new = await selection.begin(platform, HEBEI, nominee_draft())
    await selection.add_paper(platform, HEBEI, new.id, f"{SERVED.name}.pdf", PDF)
    assert SERVED.name not in str(await platform["audit"].find({}).to_list(None))


async def test_a_withdrawn_recommendation_is_forgotten_after_its_time(
    platform: Platform, clock: FixedClock
) -> None:
    draft = await drafted(platform)
    await selection.remove_paper(platform, HEBEI, draft.id, draft.papers[0].id)
    await selection.add_paper(platform, HEBEI, draft.id, "盖章的推荐表.pdf", PDF)
    withdrawn = await selection.submit(platform, HEBEI, draft.id)
    kept = await submitted(platform, SECOND)
    await selection.withdraw(platform, HEBEI, withdrawn.id, Withdrawal(reason=f"{SERVED.name}放弃"))
    months = (await policies.on(platform, date(2026, 3, 16))).applicant_months
    clock.advance(timedelta(days=28 * months))
    assert await forget_nominees(platform) == {"清除推荐": 0}
    clock.advance(timedelta(days=4 * months))
    assert await forget_nominees(platform) == {"清除推荐": 1}
    assert await forget_nominees(platform) == {"清除推荐": 0}
    row = await platform["nominees"].find_one({"_id": withdrawn.id})
    assert row is not None and SERVED.name not in str(row) and row["id_number"] is None
    assert await submissions.remove_abandoned(platform) == 0
    clock.advance(timedelta(days=2))
    assert await submissions.remove_abandoned(platform) == 2, "also the one that was taken off it"
    assert await files_kept(platform) == 1
    assert (await selection.nominee(platform, HEBEI, kept.id)).name == SECOND.name
    assert (await selection.nominee(platform, HEBEI, withdrawn.id)).state is State.WITHDRAWN


async def test_a_registration_that_meets_a_direct_one_registers_everybody_or_nobody(
    platform: Platform,
) -> None:
    _, new = await through(platform, [SERVED, SECOND])
    done = await asyncio.gather(
        registered(platform, new), stage.register_backbone(platform, SECOND), return_exceptions=True
    )
    assert not isinstance(done[1], BaseException) or isinstance(done[1], AlreadyInPool)
    assert not isinstance(done[0], BaseException) or isinstance(done[0], RegisteredMeanwhile)
    there = await platform["backbone_teachers"].count_documents({})
    assert there == (1 if isinstance(done[0], BaseException) else 2)


async def test_a_certificate_that_was_registered_for_somebody_else_stops_the_registration(
    platform: Platform,
) -> None:
    _, new = await through(platform, [SERVED])
    other = await stage.register_backbone(platform, SECOND)
    number = {"certificate_number": new.passed[0].certificate_number}
    await platform["backbone_teachers"].update_one({"_id": other}, {"$set": number})
    with pytest.raises(ListOutdated, match="另一位"):
        await registered(platform, new)
    assert await platform["pool_decisions"].count_documents({}) == 0
