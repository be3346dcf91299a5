"""Applying for a class, the two words, places and the waiting list."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from bson.binary import Binary

from server.accounts.people import persons
from server.accounts.rules import Evidence
from server.admissions import applying, store
from server.admissions import service as admissions
from server.admissions.applying import AlreadyEnrolled, RealNameNeeded, TeachesThisClass
from server.admissions.documents import Applicant
from server.admissions.rules import NotInThisState, NotOpen, State
from server.admissions.service import Verdict
from server.classes import service as classes
from server.classes.documents import EnrolmentSource, OpenClassFilter
from server.classes.enrolment import DatesClash, NoPlaceLeft
from server.kernel.errors import Invalid, NotFound
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import AGREE, APPROVED, agree, apply, clock_of, draft_of, enrolment_draft, open_class
from tests.progressing import steps


async def state_of(platform: Platform, applied: Applicant) -> State:
    found = await store.applicant_of_class(platform, applied.class_id, applied.id)
    assert found is not None
    return found.state


async def test_somebody_on_no_roster_applies_and_is_known_by_the_form_of_the_number_only(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    assert applied.state is State.APPLIED and phone.actor.name == cast.STRANGER.name
    person = (await persons(platform, [phone.actor.person_id]))[phone.actor.person_id]
    assert person.evidence == Evidence.FORMAT_OK
    again, new = await applying.apply(platform, phone.actor, opened.id, draft_of(cast.STRANGER))
    assert (again.id, new) == (applied.id, False)


async def test_a_roster_strengthens_nothing_that_was_only_claimed_and_its_phone_proves_whose_it_is(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    phone, _ = await apply(platform, wechat, opened.id, cast.STRANGER)
    march = await stage.open_class(platform, opened.officer, stage.class_draft())
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, march.id, [cast.STRANGER])
    known = await persons(platform, [phone.actor.person_id, person_id])
    assert known[phone.actor.person_id].evidence == Evidence.FORMAT_OK
    assert known[person_id].evidence == Evidence.ROSTER_MATCHED
    proved = await stage.phone(platform, wechat, phone.openid, cast.STRANGER)
    assert proved.actor.person_id == person_id


async def test_a_known_number_under_another_name_and_a_second_phone_lie_apart(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    phone, _ = await apply(platform, wechat, opened.id, cast.STRANGER)
    other = await stage.phone(platform, wechat, "openid-other")
    with pytest.raises(RealNameNeeded):
        await applying.apply(platform, other.actor, opened.id, draft_of(cast.TRAINEE, real_name=None))
    wrong = cast.Person("虚构人", cast.STRANGER.id_number, "", "示例市技师学院")
    liar, _ = await applying.apply(platform, other.actor, opened.id, draft_of(wrong))
    again, _ = await applying.apply(
        platform,
        (await stage.phone(platform, wechat, "openid-third")).actor,
        opened.id,
        draft_of(cast.STRANGER),
    )
    assert len({phone.actor.person_id, liar.person_id, again.person_id}) == 3


async def test_both_words_in_either_order_admit_and_enrol(platform: Platform, wechat: Simulator) -> None:
    opened = await open_class(platform, wechat)
    _, first = await apply(platform, wechat, opened.id, cast.person(31))
    _, second = await apply(platform, wechat, opened.id, cast.person(32))
    await admissions.review(platform, opened.officer, opened.id, first.id, AGREE)
    assert await state_of(platform, first) is State.INSTITUTION_AGREED
    await admissions.review(platform, opened.teacher.actor, opened.id, second.id, AGREE)
    assert await state_of(platform, second) is State.TEACHER_AGREED
    await admissions.review(platform, opened.teacher.actor, opened.id, first.id, AGREE)
    await admissions.review(platform, opened.officer, opened.id, second.id, AGREE)
    enrolled = await classes.trainees(platform, opened.id)
    assert [one.person_id for one in enrolled] == [first.person_id, second.person_id]
    assert {one.source for one in enrolled} == {EnrolmentSource.APPLICATION}
    assert all(one.awaits_arrival for one in enrolled)


async def test_the_same_word_again_changes_nothing(platform: Platform, wechat: Simulator) -> None:
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.person(31))
    await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    reviewed = await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    assert reviewed.state is State.INSTITUTION_AGREED and len(reviewed.history) == 2


async def test_a_refusal_needs_a_reason_and_ends_the_application(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.person(31))
    with pytest.raises(Invalid):
        await admissions.review(platform, opened.officer, opened.id, applied.id, Verdict(agree=False))
    no = Verdict(agree=False, reason="任教专业与本班不符")
    refused = await admissions.review(platform, opened.teacher.actor, opened.id, applied.id, no)
    assert refused.state is State.REJECTED and refused.reason() == "任教专业与本班不符"
    with pytest.raises(NotInThisState):
        await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    again, new = await applying.apply(platform, phone.actor, opened.id, draft_of(cast.person(31)))
    assert new and again.id != applied.id


async def test_the_waiting_list_moves_up_in_its_order_when_somebody_withdraws(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat, places=1)
    made = [await apply(platform, wechat, opened.id, cast.person(seed)) for seed in (31, 32, 33)]
    for _, applied in made:
        await agree(platform, opened, applied)
        clock_of(platform).advance(timedelta(minutes=1))
    assert [await state_of(platform, one) for _, one in made] == [
        State.ADMITTED,
        State.WAITING,
        State.WAITING,
    ]
    phone, first = made[0]
    await applying.withdraw(platform, phone.actor, first.id)
    await applying.withdraw(platform, phone.actor, first.id)
    assert [await state_of(platform, one) for _, one in made] == [
        State.WITHDRAWN,
        State.ADMITTED,
        State.WAITING,
    ]
    [enrolled] = await classes.trainees(platform, opened.id)
    assert enrolled.person_id == made[1][1].person_id
    more = enrolment_draft(platform, places=2)
    await admissions.open_enrolment(platform, opened.officer, opened.id, more)
    assert await state_of(platform, made[2][1]) is State.ADMITTED
    fewer = enrolment_draft(platform, places=1)
    with pytest.raises(NoPlaceLeft):
        await admissions.open_enrolment(platform, opened.officer, opened.id, fewer)


async def test_who_came_into_another_class_of_the_same_days_is_passed_over(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat, places=1)
    leaver, leaving = await apply(platform, wechat, opened.id, cast.person(31))
    elsewhere, next_one = cast.person(32), cast.person(33)
    _, second = await apply(platform, wechat, opened.id, elsewhere)
    _, third = await apply(platform, wechat, opened.id, next_one)
    for applied in (leaving, second, third):
        await agree(platform, opened, applied)
        clock_of(platform).advance(timedelta(minutes=1))
    april = stage.class_draft(starts_on=opened.training_class.ends_on, ends_on=opened.training_class.ends_on)
    other = await stage.open_class(platform, opened.officer, april)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, other.id, [elsewhere])
    await applying.withdraw(platform, leaver.actor, leaving.id)
    assert await state_of(platform, second) is State.REJECTED
    assert await state_of(platform, third) is State.ADMITTED


async def test_who_was_put_on_the_roster_meanwhile_blocks_nobody_and_takes_one_place(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat, places=2)
    _, listed = await apply(platform, wechat, opened.id, cast.person(31))
    _, other = await apply(platform, wechat, opened.id, cast.person(32))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.person(31)])
    assert (await agree(platform, opened, listed)).state is State.ADMITTED
    assert (await agree(platform, opened, other)).state is State.ADMITTED
    assert len(await classes.trainees(platform, opened.id)) == 2


async def test_no_more_places_than_the_province_approved(platform: Platform, wechat: Simulator) -> None:
    opened = await open_class(platform, wechat, places=APPROVED)
    more = enrolment_draft(platform, places=APPROVED + 1)
    with pytest.raises(Invalid) as refused:
        await admissions.open_enrolment(platform, opened.officer, opened.id, more)
    assert [one.place for one in refused.value.fields] == ["places"]


async def test_an_admitted_teacher_withdraws_no_more_once_the_class_has_begun(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.person(31))
    await agree(platform, opened, applied)
    clock_of(platform).advance(timedelta(days=28))
    with pytest.raises(NotInThisState):
        await applying.withdraw(platform, phone.actor, applied.id)


async def test_who_may_not_apply_is_told_why(platform: Platform, wechat: Simulator) -> None:
    opened = await open_class(platform, wechat)
    with pytest.raises(TeachesThisClass):
        await applying.apply(platform, opened.teacher.actor, opened.id, draft_of(cast.BACKBONE_TEACHER))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    listed = await stage.phone(platform, wechat, "openid-listed", cast.TRAINEE)
    with pytest.raises(AlreadyEnrolled):
        await applying.apply(platform, listed.actor, opened.id, draft_of(cast.TRAINEE))
    with pytest.raises(Invalid) as refused:
        await applying.apply(
            platform, listed.actor, opened.id, draft_of(cast.TRAINEE, answers={"t1": "不知道"})
        )
    assert {one.place for one in refused.value.fields} == {"answers.t1", "answers.t2", "answers.t3"}
    clock_of(platform).advance(timedelta(days=14))
    with pytest.raises(NotOpen):
        await applying.apply(platform, listed.actor, opened.id, draft_of(cast.TRAINEE))


async def test_a_class_is_found_by_province_level_major_and_month_while_it_is_open(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)

    async def found(**narrowed: str) -> list[str]:
        return [one.item.id for one in await applying.open_classes(platform, OpenClassFilter(**narrowed))]

    fitting = {"province_code": "13", "level": "3", "major": "01", "month": "2026-04"}
    assert await found(**fitting) == [opened.id]
    for name, other in {"province_code": "32", "level": "2", "major": "03", "month": "2026-05"}.items():
        assert await found(**(fitting | {name: other})) == []
    clock_of(platform).advance(timedelta(days=14))
    assert await found() == []


async def test_one_person_admitted_to_two_overlapping_classes_at_once_is_in_one(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    phone, first = await apply(platform, wechat, opened.id, cast.person(31))
    twin = await stage.open_class(platform, opened.officer, stage.class_draft(
        name="同期三级班", starts_on=opened.training_class.starts_on, ends_on=opened.training_class.ends_on
    ))  # fmt: skip
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second_teacher = await stage.phone(platform, wechat, "openid-t2", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, twin.id, second_teacher)
    await admissions.open_enrolment(platform, opened.officer, twin.id, enrolment_draft(platform))
    second, _ = await applying.apply(platform, phone.actor, twin.id, draft_of(cast.person(31)))
    for applied in (first, second):
        await admissions.review(platform, opened.officer, applied.class_id, applied.id, AGREE)
    await asyncio.gather(
        *(
            admissions.review(platform, teacher.actor, applied.class_id, applied.id, AGREE)
            for teacher, applied in ((opened.teacher, first), (second_teacher, second))
        )
    )
    states = {await state_of(platform, applied) for applied in (first, second)}
    assert states == {State.ADMITTED, State.REJECTED}
    assert await platform["enrolments"].count_documents({"person_id": first.person_id}) == 1
    third = await stage.open_class(platform, opened.officer, stage.class_draft(
        name="又一同期班", starts_on=opened.training_class.starts_on, ends_on=opened.training_class.ends_on
    ))  # fmt: skip
    await admissions.open_enrolment(platform, opened.officer, third.id, enrolment_draft(platform))
    with pytest.raises(DatesClash):
        await applying.apply(platform, phone.actor, third.id, draft_of(cast.person(31)))


async def test_of_a_thousand_applicants_agreed_to_in_parallel_exactly_fifty_get_the_fifty_places(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat, places=50)
    _, pattern = await apply(platform, wechat, opened.id, cast.person(31))
    agreed = await admissions.review(platform, opened.officer, opened.id, pattern.id, AGREE)
    person = await platform["persons"].find_one({"_id": pattern.person_id})
    assert person is not None
    many = [agreed]
    others = []
    for number in range(1, 1000):
        person_id = new_id()
        others.append(
            person
            | {
                "_id": person_id,
                "id_number": Binary(b"%d" % number, subtype=6),
                "evidence": Evidence.ROSTER_MATCHED,
            }
        )
        many.append(agreed.model_copy(update={"id": new_id(), "person_id": person_id}))
    await platform["persons"].insert_many(others)
    await platform["applicants"].insert_many([one.to_mongo() for one in many[1:]])
    await asyncio.gather(
        *(admissions.review(platform, opened.teacher.actor, opened.id, applied.id, AGREE) for applied in many)
    )
    assert await store.count_by_state(platform, opened.id) == {State.ADMITTED: 50, State.WAITING: 950}
    assert len(await classes.trainees(platform, opened.id)) == 50
    training_class = await classes.get_class(platform, opened.officer, opened.id)
    assert training_class.admitted == 50


async def test_a_neighbour_sees_nothing_of_it(platform: Platform, wechat: Simulator) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.person(31))
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other_teacher = await stage.phone(platform, wechat, "openid-t2", cast.SECOND_BACKBONE_TEACHER)
    for stranger in (
        stage.actor(cast.YANGZHOU_OFFICER),
        stage.actor(cast.JIANGSU_OFFICER),
        other_teacher.actor,
    ):
        with pytest.raises(NotFound):
            await admissions.review(platform, stranger, opened.id, applied.id, AGREE)
        with pytest.raises(NotFound):
            await admissions.class_enrolment(platform, stranger, opened.id)
    with pytest.raises(NotFound):
        await applying.withdraw(platform, other_teacher.actor, applied.id)
    assert await steps(platform, stage.actor(cast.YANGZHOU_OFFICER), opened.id) == {}
    waits = (await steps(platform, opened.officer, opened.id))["applicants"]
    assert (waits.title, waits.url) == ("审核 1 份报名", f"/admin/classes/{opened.id}/enrolment")
    assert phone.actor.person_id == applied.person_id
