"""One person on a roster: added by a form, put right, taken off before arrival, 退训 after it, and each way back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import date, timedelta
from typing import Any

import pytest

from server.accounts import binding, people, phones
from server.accounts.binding import NotOnARoster
from server.accounts.phones import PhoneAuthenticator
from server.accounts.rules import IdNumberInvalid, NameInvalid
from server.admissions import applying, arrival, roster, rules
from server.admissions import service as admissions
from server.admissions.roster import Edit, Entry, Leaving, Reason
from server.admissions.roster_rules import AlreadyListed, AskForACorrection, HasCome, NotCome
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.enrolment import DatesClash, LeftBefore
from server.classes.service import ResultsReleased
from server.kernel import audit
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotFound, Problem
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import admitting, cast, stage
from tests.cast import Person
from tests.stage import Phone

XINGTAI, YANGZHOU = stage.actor(cast.XINGTAI_OFFICER), stage.actor(cast.YANGZHOU_OFFICER)
WHY = Reason(reason="本人来电说明不能参加。")
GULI = cast.TRAINEE_WITH_A_DOT


def entry(person: Person, **changes: Any) -> Entry:
    typed: dict[str, Any] = {
        "name": person.name,
        "id_number": person.id_number,
        "work_unit": person.unit,
        "post": "讲师",
        "phone": person.phone,
    }
    return Entry.model_validate(typed | changes)


def edited(person: Person, **changes: Any) -> Edit:
    """What the form says when nothing is changed but `changes`."""
    kept = {"name": person.name, "work_unit": person.unit, "post": "讲师"}
    return Edit.model_validate(kept | changes)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft())


@pytest.fixture
async def added(platform: Platform, opened: TrainingClass) -> str:
    return (await roster.add(platform, XINGTAI, opened.id, entry(cast.TRAINEE))).person_id


async def names(platform: Platform, class_id: str) -> list[str]:
    return [one.name for one in await classes.trainees(platform, class_id)]


async def trail(platform: Platform, class_id: str) -> list[str]:
    return [one["action"] for one in await audit.of_subject(platform, class_id)]


async def told(platform: Platform, person_id: str) -> list[str]:
    rows = platform["outbox"].find({"person_id": person_id}).sort("_id", 1)
    return [row["template"] async for row in rows]


async def arrived(platform: Platform, class_id: str, person_id: str) -> None:
    await arrival.confirm_arrival(platform, XINGTAI, class_id, person_id, pledge_on_paper=True)


async def bind(platform: Platform, wechat: Simulator, person: Person, openid: str = "openid") -> Phone:
    return await stage.phone(platform, wechat, openid, person)


# ---- added by a form


async def test_one_person_is_added_by_a_form_told_and_can_bind(
    platform: Platform, wechat: Simulator, opened: TrainingClass
) -> None:
    typed = entry(GULI, name="古丽．试例", work_unit=" 示例市　技师学院 ")
    new = await roster.add(platform, XINGTAI, opened.id, typed)
    [listed] = await classes.trainees(platform, opened.id)
    assert (listed.name, listed.work_unit, listed.post) == ("古丽·试例", "示例市 技师学院", "讲师")
    assert listed.id_number_masked.endswith(GULI.id_number[-4:]) and "*" in listed.id_number_masked
    assert await told(platform, new.person_id) == ["enrolled"]
    assert (await bind(platform, wechat, GULI)).actor.id == new.person_id
    again = await roster.add(platform, XINGTAI, opened.id, typed)
    assert again.person_id == new.person_id and len(await classes.trainees(platform, opened.id)) == 1
    assert (await trail(platform, opened.id)).count("admissions:add-trainee") == 1
    with pytest.raises(AlreadyListed):
        await roster.add(platform, XINGTAI, opened.id, entry(GULI, post="校长"))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"name": "王5"}, NameInvalid),
        ({"id_number": "13010119900101001X"}, IdNumberInvalid),
        ({"phone": "138"}, Problem),
    ],
)
async def test_what_a_roster_would_refuse_the_form_refuses(
    platform: Platform, opened: TrainingClass, changes: dict[str, str], refusal: type[Problem]
) -> None:
    with pytest.raises(refusal):
        await roster.add(platform, XINGTAI, opened.id, entry(cast.TRAINEE, **changes))
    assert await names(platform, opened.id) == []


async def test_who_is_in_another_class_of_these_days_is_not_added_and_a_neighbour_adds_nobody(
    platform: Platform, opened: TrainingClass, added: str
) -> None:
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(name="另一个三级教师培训班"))
    with pytest.raises(DatesClash):
        await roster.add(platform, XINGTAI, other.id, entry(cast.TRAINEE))
    with pytest.raises(NotFound):
        await roster.add(platform, YANGZHOU, opened.id, entry(cast.SECOND_TRAINEE))


# ---- put right before anybody has come


async def test_name_number_unit_and_post_are_put_right_until_the_person_has_bound(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    wrong = await roster.add(platform, XINGTAI, april.id, entry(cast.TRAINEE))
    right = edited(
        cast.SECOND_TRAINEE,
        id_number=cast.SECOND_TRAINEE.id_number,
        post="高级讲师",
        phone=cast.SECOND_TRAINEE.phone,
    )
    await roster.edit(platform, XINGTAI, april.id, wrong.person_id, right)
    [listed] = await classes.trainees(platform, april.id)
    assert (listed.name, listed.post) == (cast.SECOND_TRAINEE.name, "高级讲师")
    assert listed.id_number_masked[-4:] == cast.SECOND_TRAINEE.id_number[-4:]
    with pytest.raises(NotOnARoster):
        await bind(platform, wechat, cast.TRAINEE, "wrong")
    assert (await bind(platform, wechat, cast.SECOND_TRAINEE)).actor.id == wrong.person_id
    with pytest.raises(AskForACorrection, match="已绑定过微信"):
        await roster.edit(platform, XINGTAI, april.id, wrong.person_id, edited(cast.TRAINEE))
    unit = edited(cast.SECOND_TRAINEE, work_unit="示例县职业中学", post="高级讲师")
    await roster.edit(platform, XINGTAI, april.id, wrong.person_id, unit)  # of this row alone
    assert (await classes.trainee(platform, april.id, wrong.person_id)).work_unit == "示例县职业中学"


async def test_where_an_edit_is_refused_the_way_that_is_offered_is_named(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    """移出名册 before somebody has come, 退训 afterwards."""
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    person_id = (await roster.add(platform, XINGTAI, april.id, entry(cast.TRAINEE))).person_id
    await bind(platform, wechat, cast.TRAINEE)
    with pytest.raises(AskForACorrection, match="移出名册后重新添加"):
        await roster.edit(platform, XINGTAI, april.id, person_id, edited(cast.SECOND_TRAINEE))
    clock.advance(april.starts_on - date(2026, 3, 16))
    with pytest.raises(AskForACorrection, match="办理退训后添加本人") as refused:
        await roster.edit(platform, XINGTAI, april.id, person_id, edited(cast.SECOND_TRAINEE))
    assert "移出名册" not in refused.value.detail


async def test_nothing_changed_leaves_no_entry(platform: Platform, opened: TrainingClass, added: str) -> None:
    await roster.edit(platform, XINGTAI, opened.id, added, edited(cast.TRAINEE))
    assert "admissions:edit-trainee" not in await trail(platform, opened.id)


async def test_a_number_that_another_person_has_makes_it_their_row_and_changes_nobody(
    platform: Platform, wechat: Simulator
) -> None:
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await bind(platform, wechat, cast.BACKBONE_TEACHER)
    wrong = await roster.add(platform, XINGTAI, april.id, entry(cast.TRAINEE))
    own_name = edited(cast.TRAINEE, id_number=cast.BACKBONE_TEACHER.id_number)
    with pytest.raises(people.NameDiffers):
        await roster.edit(platform, XINGTAI, april.id, wrong.person_id, own_name)
    right = edited(cast.BACKBONE_TEACHER, id_number=cast.BACKBONE_TEACHER.id_number)
    await roster.edit(platform, XINGTAI, april.id, wrong.person_id, right)
    [listed] = await classes.trainees(platform, april.id)
    assert (listed.person_id, listed.name) == (teacher.actor.id, cast.BACKBONE_TEACHER.name)
    known = await people.persons(platform, [wrong.person_id])
    assert known[wrong.person_id].name == cast.TRAINEE.name
    assert (await classes.get_class(platform, XINGTAI, april.id)).admitted == 1


async def test_of_an_edit_and_a_binding_at_once_one_sees_the_other(
    platform: Platform, wechat: Simulator
) -> None:
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    for number in range(6):
        before, after = cast.people(2, first_seed=300 + 2 * number)
        row = await roster.add(platform, XINGTAI, april.id, entry(before))
        session = await phones.log_in(platform, wechat.world.give_code(f"openid-{number}"))
        unbound = await PhoneAuthenticator(platform).actor_of(session.token)
        claimed = stage.claim(wechat, f"openid-{number}", before)
        right = edited(after, id_number=after.id_number)
        outcomes = await asyncio.gather(
            roster.edit(platform, XINGTAI, april.id, row.person_id, right),
            binding.bind_real_name(platform, unbound, claimed),
            return_exceptions=True,
        )
        failed = [one for one in outcomes if isinstance(one, BaseException)]
        assert len(failed) == 1 and isinstance(failed[0], AskForACorrection | NotOnARoster)
        bound = await people.is_bound(platform, row.person_id)
        person = (await people.persons(platform, [row.person_id]))[row.person_id]
        assert (person.name == before.name) is bound


# ---- taken off before arrival


async def test_who_has_not_come_is_taken_off_and_the_roster_is_as_before_but_for_the_trail(
    platform: Platform,
) -> None:
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    await roster.add(platform, XINGTAI, april.id, entry(cast.SECOND_TRAINEE))
    before = (await classes.trainees(platform, april.id), (await _class(platform, april.id)).admitted)
    row = await roster.add(platform, XINGTAI, april.id, entry(cast.TRAINEE))
    await roster.remove(platform, XINGTAI, april.id, row.person_id, WHY)
    assert (await classes.trainees(platform, april.id), (await _class(platform, april.id)).admitted) == before
    assert await told(platform, row.person_id) == ["enrolled", "removed-from-roster"]
    assert (await trail(platform, april.id))[:2] == ["admissions:remove-trainee", "admissions:add-trainee"]
    with pytest.raises(NotFound):
        await roster.remove(platform, XINGTAI, april.id, row.person_id, WHY)
    with pytest.raises(NotCome):
        await roster.leave(platform, XINGTAI, april.id, before[0][0].person_id, leaving(date(2026, 3, 16)))
    assert (await roster.add(platform, XINGTAI, april.id, entry(cast.TRAINEE))).person_id == row.person_id


async def _class(platform: Platform, class_id: str) -> TrainingClass:
    return await classes.get_class(platform, XINGTAI, class_id)


def leaving(on: date) -> Leaving:
    return Leaving(left_on=on, reason="工作单位另有任务。")


async def test_who_applied_is_taken_off_with_the_application_and_the_next_in_line_comes_in(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await admitting.open_class(platform, wechat, places=1)
    (first, _), (second, _) = [
        await admitting.apply(platform, wechat, opened.id, one) for one in (cast.TRAINEE, cast.SECOND_TRAINEE)
    ]
    for one in await admissions.applicants(platform, opened.id):
        for reviewer in (opened.officer, opened.teacher.actor):
            await admissions.review(platform, reviewer, opened.id, one.id, admitting.AGREE)
    [admitted] = await classes.trainees(platform, opened.id)
    waiting = second if admitted.person_id == first.actor.id else first
    await roster.remove(platform, XINGTAI, opened.id, admitted.person_id, WHY)
    [now] = await classes.trainees(platform, opened.id)
    assert now.person_id == waiting.actor.id
    states = {one.person_id: one.state for one in await admissions.applicants(platform, opened.id)}
    assert states == {
        admitted.person_id: rules.State.REJECTED,
        waiting.actor.id: rules.State.ADMITTED,
    }
    assert (await _class(platform, opened.id)).admitted == 1


async def test_of_removal_and_arrival_at_once_one_sees_the_other(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await admitting.approved_class(platform, wechat)
    for person in cast.people(6, first_seed=400):
        row = await roster.add(platform, XINGTAI, opened.id, entry(person))
        outcomes = await asyncio.gather(
            roster.remove(platform, XINGTAI, opened.id, row.person_id, WHY),
            arrived(platform, opened.id, row.person_id),
            return_exceptions=True,
        )
        [failed] = [one for one in outcomes if isinstance(one, BaseException)]
        assert isinstance(failed, HasCome | NotFound)
        there = await classes.is_enrolled(platform, opened.id, row.person_id)
        assert there is isinstance(failed, HasCome)
    assert (await _class(platform, opened.id)).admitted == len(await classes.trainees(platform, opened.id))


# ---- 退训 after it


async def test_who_leaves_stays_on_record_is_of_the_class_no_more_and_can_be_taken_back(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await admitting.approved_class(platform, wechat)
    row = await roster.add(platform, XINGTAI, opened.id, entry(cast.TRAINEE))
    phone = await bind(platform, wechat, cast.TRAINEE)
    await arrived(platform, opened.id, row.person_id)
    before = await classes.trainees(platform, opened.id)
    with pytest.raises(HasCome):
        await roster.remove(platform, XINGTAI, opened.id, row.person_id, WHY)
    today = date(2026, 3, 16)
    for wrong in (today + timedelta(days=1), today - timedelta(days=1)):
        with pytest.raises(Invalid):
            await roster.leave(platform, XINGTAI, opened.id, row.person_id, leaving(wrong))
    for _ in range(2):
        await roster.leave(platform, XINGTAI, opened.id, row.person_id, leaving(today))
    assert await classes.trainees(platform, opened.id) == []
    [left] = await enrolment.left_trainees(platform, opened.id)
    assert (left.left_on, left.left_reason) == (today, "工作单位另有任务。")
    assert left.arrived_at == before[0].arrived_at
    with pytest.raises(NotFound):
        await classes.attended_class(platform, phone.actor, opened.id)
    with pytest.raises(LeftBefore):
        await roster.add(platform, XINGTAI, opened.id, entry(cast.TRAINEE))
    assert (await _class(platform, opened.id)).admitted == 0
    await admissions.open_enrolment(platform, XINGTAI, opened.id, admitting.enrolment_draft(platform))
    with pytest.raises(LeftBefore, match="请联系培训机构"):
        await applying.apply(platform, phone.actor, opened.id, admitting.draft_of(cast.TRAINEE))
    for _ in range(2):
        await roster.come_back(platform, XINGTAI, opened.id, row.person_id, WHY)
    [now] = await classes.trainees(platform, opened.id)
    assert now.model_copy(update={"history": []}) == before[0].model_copy(update={"history": []})
    assert [one.action for one in now.history] == ["LEAVE", "RETURN"]
    assert (await told(platform, row.person_id))[-2:] == ["left-class", "returned-to-class"]
    assert (await _class(platform, opened.id)).admitted == 1


async def test_who_has_left_may_join_another_class_of_these_days_and_then_not_come_back(
    platform: Platform, opened: TrainingClass, added: str
) -> None:
    await roster.leave(platform, XINGTAI, opened.id, added, leaving(date(2026, 3, 16)))
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(name="另一个三级教师培训班"))
    await roster.add(platform, XINGTAI, other.id, entry(cast.TRAINEE))
    with pytest.raises(DatesClash):
        await roster.come_back(platform, XINGTAI, opened.id, added, WHY)


async def test_a_roster_does_not_move_once_the_results_are_released(
    platform: Platform, opened: TrainingClass, added: str, clock: FixedClock
) -> None:
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"results_released_at": clock.now()}})
    acts: list[Awaitable[object]] = [
        roster.add(platform, XINGTAI, opened.id, entry(cast.SECOND_TRAINEE)),
        roster.edit(platform, XINGTAI, opened.id, added, edited(cast.SECOND_TRAINEE)),
        roster.remove(platform, XINGTAI, opened.id, added, WHY),
        roster.leave(platform, XINGTAI, opened.id, added, leaving(date(2026, 3, 16))),
        roster.come_back(platform, XINGTAI, opened.id, added, WHY),
    ]
    for act in acts:
        with pytest.raises(ResultsReleased):
            await act
    assert await names(platform, opened.id) == [cast.TRAINEE.name]
