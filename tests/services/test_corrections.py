"""Corrections of what was published, on the real database (article 25.4)."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts import people, phones
from server.accounts.phones import PhoneAuthenticator
from server.accounts.proofs import Voucher
from server.accounts.rules import IdNumberInvalid, NameInvalid, PhoneInvalid, mask_id_number
from server.backbone import service as backbone
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.corrections import rules, service
from server.corrections.documents import Correction, CorrectionFilter
from server.corrections.rules import (
    Action,
    ChangedMeanwhile,
    Ground,
    NothingToCorrect,
    State,
    Subject,
)
from server.corrections.service import (
    ClassCorrection,
    CorrectionOpen,
    InstitutionCorrection,
    TraineeCorrection,
)
from server.institutions import service as institutions
from server.institutions.rules import NotQualified
from server.kernel import audit
from server.kernel.errors import Forbidden, Invalid, NotFound, Problem
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState
from server.venues.rules import FlagKind
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.cast import Person
from tests.correcting import NEW_NUMBER, renumbered
from tests.examples import examples
from tests.progressing import waits

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft())


def of_class(opened: TrainingClass, **changes: object) -> ClassCorrection:
    """The class as it is, but for `changes`."""
    facts: dict[str, object] = {
        "name": opened.name,
        "place": opened.place,
        "starts_on": opened.starts_on,
        "ends_on": opened.ends_on,
        "reason": "实训楼检修，改到图书馆上课。",
    }
    return ClassCorrection.model_validate(facts | changes)


def of_trainee(name: str, ground: Ground = Ground.MISSPELT) -> TraineeCorrection:
    return TraineeCorrection(name=name, ground=ground, reason="已核对本人身份证原件。")


async def state_of(platform: Platform, asked: Correction) -> State:
    return (await service.correction(platform, CENTRE, asked.id)).state


# ---- a class


async def test_an_approved_correction_changes_the_class_and_keeps_before_and_after(
    platform: Platform, opened: TrainingClass
) -> None:
    wanted = of_class(opened, place="图书馆 201", ends_on=date(2026, 3, 28))
    asked = await service.correct_class(platform, XINGTAI, opened.id, wanted)
    assert (await classes.get_class(platform, XINGTAI, opened.id)).place == opened.place
    assert [one.title for one in await waits(platform, HEBEI, Correction)] == ["待审核的更正申请"]
    assert await waits(platform, JIANGSU, Correction) == []
    await service.approve(platform, HEBEI, asked.id)
    after = await classes.get_class(platform, XINGTAI, opened.id)
    assert (after.name, after.place, after.ends_on) == (opened.name, "图书馆 201", date(2026, 3, 28))
    [made] = await service.made_in_class(platform, XINGTAI, opened.id)
    assert [(one.field, one.before, one.after) for one in made.changes] == [
        ("place", "实训楼 301", "图书馆 201"),
        ("ends_on", "2026-03-27", "2026-03-28"),
    ]
    assert [(one.action, one.actor_name) for one in made.history] == [
        ("REQUEST", XINGTAI.name),
        ("APPROVE", HEBEI.name),
    ]
    trail = [entry["action"] for entry in await audit.of_subject(platform, opened.id)]
    assert trail == ["corrections:apply", "classes:open"]
    assert await waits(platform, HEBEI, Correction) == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, NothingToCorrect),
        ({"ends_on": date(2026, 3, 15)}, Invalid),
        ({"starts_on": date(2025, 12, 31)}, NotQualified),  # the qualification begins with 2026
    ],
)
async def test_a_correction_that_could_not_have_been_opened_is_refused(
    platform: Platform, opened: TrainingClass, changes: dict[str, Any], refusal: type[Problem]
) -> None:
    with pytest.raises(refusal):
        await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, **changes))


async def test_a_returned_request_is_amended_and_filed_again(
    platform: Platform, opened: TrainingClass
) -> None:
    asked = await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆"))
    with pytest.raises(CorrectionOpen):
        await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="礼堂"))
    await service.return_(platform, HEBEI, asked.id, "请写明房间号。")
    assert [one.title for one in await waits(platform, XINGTAI, Correction)] == ["被退回的更正申请"]
    again = await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆 201"))
    assert again.id == asked.id and again.wanted == {"place": "图书馆 201"}
    await service.approve(platform, HEBEI, asked.id)
    assert [step.action for step in (await service.correction(platform, XINGTAI, asked.id)).history] == [
        "REQUEST",
        "RETURN",
        "RESUBMIT",
        "APPROVE",
    ]


async def test_what_was_approved_or_retracted_stays_so(platform: Platform, opened: TrainingClass) -> None:
    asked = await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆"))
    await service.retract(platform, XINGTAI, asked.id, "地点不变了")
    with pytest.raises(NotInThisState, match="correction-settled: "):
        await service.approve(platform, HEBEI, asked.id)
    assert (await classes.get_class(platform, XINGTAI, opened.id)).place == opened.place
    await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆"))


async def test_a_class_that_changed_meanwhile_is_not_corrected(
    platform: Platform, opened: TrainingClass
) -> None:
    asked = await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆"))
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"place": "礼堂"}})
    with pytest.raises(ChangedMeanwhile):
        await service.approve(platform, HEBEI, asked.id)
    assert await state_of(platform, asked) is State.SUBMITTED


async def test_a_place_that_names_a_scenic_area_is_approved_only_with_words_about_it(
    platform: Platform, opened: TrainingClass
) -> None:
    wanted = of_class(opened, place="泰山风景名胜区游客中心")
    asked = await service.correct_class(platform, XINGTAI, opened.id, wanted)
    [flag] = asked.venue_flags
    assert flag.kind is FlagKind.SCENIC_AREA and "泰山" in flag.words
    with pytest.raises(Invalid):
        await service.approve(platform, HEBEI, asked.id, " ")
    assert await state_of(platform, asked) is State.SUBMITTED
    made = await service.approve(platform, HEBEI, asked.id, "已核实：游客中心在核心景区以外。")
    assert made.decision is not None and made.decision.reason.startswith("已核实")


async def test_the_neighbours_see_nothing_and_nobody_decides_on_their_own_request(
    platform: Platform, opened: TrainingClass
) -> None:
    with pytest.raises(NotFound):
        await service.correct_class(platform, YANGZHOU, opened.id, of_class(opened, place="图书馆"))
    asked = await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆"))
    for stranger in (YANGZHOU, JIANGSU):
        assert await service.list_corrections(platform, stranger, CorrectionFilter()) == []
        assert await service.open_correction(platform, stranger, opened.id) is None
        assert await service.made_in_class(platform, stranger, opened.id) == []
        with pytest.raises(NotFound):
            await service.correction(platform, stranger, asked.id)
        with pytest.raises(NotFound):
            await service.approve(platform, stranger, asked.id)
    for nobody in (XINGTAI, CENTRE):
        with pytest.raises(Forbidden):
            await service.approve(platform, nobody, asked.id)
    with pytest.raises(Forbidden):
        await service.correct_class(platform, HEBEI, opened.id, of_class(opened, place="礼堂"))


# ---- a trainee's ID number


async def test_a_certificate_that_was_issued_keeps_the_number_that_is_printed_on_it(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await certifying.passed_class(platform, wechat, 1)
    [issued] = await certifying.issued(platform, opened)
    [one] = cast.people(1)
    wanted = renumbered(one, NEW_NUMBER)
    asked = await service.correct_trainee(platform, opened.officer, opened.id, issued.person_id, wanted)
    await service.approve(platform, HEBEI, asked.id)
    [kept] = await certifying.certificates_of(platform, opened.officer, opened.id)
    assert kept.printed == issued.printed and kept.printed.id_number_masked == mask_id_number(one.id_number)


async def test_a_number_is_of_one_person_only_and_a_wrong_one_is_refused(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=2)
    first, second = cast.people(2)
    person_id = held.trainees[0].actor.id

    async def ask(id_number: str) -> Correction:
        wanted = renumbered(first, id_number)
        return await service.correct_trainee(platform, held.officer, held.id, person_id, wanted)

    with pytest.raises(people.NumberTaken):
        await ask(second.id_number)
    with pytest.raises(IdNumberInvalid):
        await ask("13010119900101001X")
    with pytest.raises(NothingToCorrect):
        await ask(first.id_number)
    asked = await ask(NEW_NUMBER)
    [row] = [cast.people(3)[2]]
    may = {"starts_on": date(2026, 5, 11), "ends_on": date(2026, 5, 22)}
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(**may))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, other.id, [row])  # meanwhile
    with pytest.raises(people.NumberTaken):
        await service.approve(platform, HEBEI, asked.id)
    assert await state_of(platform, asked) is State.SUBMITTED


# ---- a trainee's phone number


NEW_PHONE = cast.people(3)[2].phone


def reached_at(one: Person, phone: str) -> TraineeCorrection:
    reason = "已核对本人身份证原件和手机。"
    return TraineeCorrection(name=one.name, phone=phone, ground=Ground.PHONE_CHANGED, reason=reason)


async def phone_of(platform: Platform, person_id: str) -> str:
    person = (await people.persons(platform, [person_id]))[person_id]
    phone = person.phone_by(Voucher.institution(cast.XINGTAI))
    return "".join(await platform.vault.decrypt([phone])) if phone else ""


async def test_a_phone_number_is_another_one_only_once_the_province_has_approved_it(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [trainee], [one] = held.trainees, cast.people(1)
    person_id = trainee.actor.id
    spaced = f"+86 {NEW_PHONE[:3]} {NEW_PHONE[3:]}"
    wanted = reached_at(one, spaced)
    asked = await service.correct_trainee(platform, held.officer, held.id, person_id, wanted)
    [change] = asked.changes
    assert (change.field, change.title) == ("phone", "手机号")
    assert change.before.endswith(one.phone[-4:]) and change.after.endswith(NEW_PHONE[-4:])
    assert "****" in change.before and "****" in change.after
    assert await phone_of(platform, person_id) == one.phone
    with pytest.raises(Forbidden):
        await service.approve(platform, held.officer, asked.id)
    await service.approve(platform, HEBEI, asked.id)
    assert await phone_of(platform, person_id) == NEW_PHONE
    told = await platform["outbox"].find({"person_id": person_id}).sort("_id", -1).to_list(1)
    assert (told[0]["template"], told[0]["data"]["outcome"]) == ("identity-corrected", "手机号已更正")
    stored = await platform["corrections"].find_one({"_id": asked.id})
    assert NEW_PHONE not in str(stored)
    kept = await service.correction(platform, HEBEI, asked.id)
    assert kept.phone_before is not None
    assert await platform.vault.decrypt([kept.phone_before]) == [one.phone]  # the history, encrypted
    assert (await PhoneAuthenticator(platform).actor_of(trainee.token)).id == person_id


async def test_name_number_and_phone_are_put_right_by_one_request(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [person_id] = [one.actor.id for one in held.trainees]
    whole = TraineeCorrection(
        name="赵试新",
        id_number=NEW_NUMBER,
        phone=NEW_PHONE,
        ground=Ground.MISSPELT,
        reason="已核对本人身份证原件。",
    )
    asked = await service.correct_trainee(platform, held.officer, held.id, person_id, whole)
    assert [one.title for one in asked.changes] == ["姓名", "身份证号", "手机号"]
    await service.return_(platform, HEBEI, asked.id, "请先核对手机号。")
    narrower = whole.model_copy(update={"phone": ""})
    again = await service.correct_trainee(platform, held.officer, held.id, person_id, narrower)
    assert again.phone_after is None and [one.title for one in again.changes] == ["姓名", "身份证号"]
    await service.approve(platform, HEBEI, asked.id)
    assert await phone_of(platform, person_id) == cast.people(1)[0].phone


async def test_a_phone_that_is_right_wrong_or_changed_meanwhile_is_not_corrected(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [one], [person_id] = cast.people(1), [phone.actor.id for phone in held.trainees]

    async def ask(phone: str) -> Correction:
        return await service.correct_trainee(
            platform, held.officer, held.id, person_id, reached_at(one, phone)
        )

    with pytest.raises(NothingToCorrect):
        await ask(one.phone)
    with pytest.raises(PhoneInvalid):
        await ask("12345")
    asked = await ask(NEW_PHONE)
    [other] = await platform.vault.encrypt_random([cast.people(2)[1].phone])
    await platform["persons"].update_one({"_id": person_id}, {"$set": {"vouched.0.phone": other}})
    with pytest.raises(ChangedMeanwhile):
        await service.approve(platform, HEBEI, asked.id)
    assert await state_of(platform, asked) is State.SUBMITTED


# ---- a trainee's name


async def test_a_trainee_is_called_by_the_new_name_everywhere_that_is_not_printed_yet(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [trainee] = held.trainees
    asked = await service.correct_trainee(
        platform, held.officer, held.id, trainee.actor.id, of_trainee("古丽．试例", Ground.RENAMED)
    )
    await service.approve(platform, HEBEI, asked.id)
    [enrolled] = await classes.trainees(platform, held.id)
    persons = await people.persons(platform, [trainee.actor.id])
    assert enrolled.name == persons[trainee.actor.id].name == "古丽·试例"
    speaking = await PhoneAuthenticator(platform).actor_of(trainee.token)
    assert speaking.name == "古丽·试例"
    assert asked.ground is Ground.RENAMED and asked.before == {"name": cast.people(1)[0].name}
    again = await phones.log_in(platform, wechat.world.give_code(trainee.openid))
    assert (await PhoneAuthenticator(platform).actor_of(again.token)).name == "古丽·试例"


async def test_a_teacher_who_is_trained_keeps_one_name(platform: Platform, wechat: Simulator) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [cast.BACKBONE_TEACHER])
    asked = await service.correct_trainee(platform, held.officer, held.id, person_id, of_trainee("钱试新"))
    await service.approve(platform, HEBEI, asked.id)
    member = await backbone.teacher_in_pool(platform, person_id)
    [teacher] = (await classes.get_class(platform, held.officer, held.id)).teachers
    assert member is not None and member.name == teacher.name == "钱试新"


async def test_a_wrong_name_and_a_stranger_are_refused(platform: Platform, wechat: Simulator) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [trainee] = held.trainees
    with pytest.raises(NameInvalid):
        await service.correct_trainee(platform, held.officer, held.id, trainee.actor.id, of_trainee("王5"))
    with pytest.raises(NotFound):
        await service.correct_trainee(
            platform, held.officer, held.id, held.teacher.actor.id, of_trainee("王试")
        )
    with pytest.raises(NothingToCorrect):
        await service.correct_trainee(
            platform, held.officer, held.id, trainee.actor.id, of_trainee(trainee.actor.name)
        )


# ---- an institution's name


async def test_an_institution_is_renamed_by_the_centre_and_its_open_classes_with_it(
    platform: Platform, opened: TrainingClass
) -> None:
    released = await stage.open_class(platform, XINGTAI, stage.class_draft(name="2026年2月三级教师培训班"))
    await platform["classes"].update_one(
        {"_id": released.id}, {"$set": {"results_released_at": platform.clock.now()}}
    )
    wanted = InstitutionCorrection(name="邢台 示例技师学院", reason="省政府批复更名。")
    asked = await service.correct_institution(platform, XINGTAI, "009", wanted)
    with pytest.raises(Forbidden):
        await service.approve(platform, HEBEI, asked.id)
    await service.approve(platform, CENTRE, asked.id)
    assert (await institutions.institution(platform, HEBEI, "009")).name == "邢台示例技师学院"
    names = [
        (await classes.get_class(platform, XINGTAI, one.id)).institution_name for one in (opened, released)
    ]
    assert names == ["邢台示例技师学院", "邢台技师学院"]
    [made] = await service.made_of_institution(platform, XINGTAI, "009")
    assert made.before == {"name": "邢台技师学院"}


async def test_an_institution_asks_for_itself_only_and_not_for_another_s_name(platform: Platform) -> None:
    taken = InstitutionCorrection(name="江苏省扬州技师学院", reason="省政府批复更名。")
    with pytest.raises(Invalid):
        await service.correct_institution(platform, XINGTAI, "009", taken)
    free = InstitutionCorrection(name="邢台示例技师学院", reason="省政府批复更名。")
    with pytest.raises(NotFound):
        await service.correct_institution(platform, XINGTAI, "019", free)


# ---- random people

OFFICERS = {"centre": CENTRE, "hebei": HEBEI, "jiangsu": JIANGSU, "xingtai": XINGTAI, "yangzhou": YANGZHOU}
ACTS = [Action.APPROVE, Action.RETURN, Action.RETRACT, Action.RESUBMIT]
# Those whose act it is come up more often: a story should get somewhere.
who = st.sampled_from([*OFFICERS, "xingtai", "hebei", "hebei"])


def correction_act(
    platform: Platform, officer: Actor, opened: TrainingClass, one: Correction, action: Action
) -> Awaitable[Correction]:
    match action:
        case Action.APPROVE:
            return service.approve(platform, officer, one.id)
        case Action.RETURN:
            return service.return_(platform, officer, one.id, "请核对。")
        case Action.RETRACT:
            return service.retract(platform, officer, one.id, "地点不变了")
        case _:
            wanted = of_class(opened, place=f"第 {len(one.history)} 教室（{one.wanted['place']}）"[:100])
            return service.correct_class(platform, officer, opened.id, wanted)


@examples(20)
@given(st.lists(st.tuples(who, st.sampled_from(ACTS)), min_size=4, max_size=16))
async def test_a_correction_goes_only_where_its_table_says_and_leaves_a_trace(
    platform: Platform, story: list[tuple[str, Action]]
) -> None:
    await stage.clear(platform)
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    place, steps = opened.place, rules.steps_of(Subject.CLASS)
    one = await service.correct_class(platform, XINGTAI, opened.id, of_class(opened, place="图书馆"))
    for name, action in story:
        officer, entries = OFFICERS[name], await platform["audit"].count_documents({})
        refused, now = None, one
        try:
            now = await correction_act(platform, officer, opened, one, action)
        except Problem as problem:
            refused = problem
        written = await platform["audit"].count_documents({}) - entries
        in_reach = name in ("centre", "hebei", "xingtai")
        right = in_reach and officer.roles & steps.may_act(action)
        anew = action is Action.RESUBMIT and not one.open
        if right and (anew or (one.state, action) in steps.transitions):
            assert refused is None and written >= 1
            assert (now.id == one.id) is not anew
            assert now.state is (State.SUBMITTED if anew else steps.transitions[one.state, action])
            assert now.history[-1].actor_id == officer.id
            place = now.wanted["place"] if action is Action.APPROVE else place
        else:
            assert refused is not None and written == 0
            assert await service.correction(platform, CENTRE, one.id) == one
            assert isinstance(refused, NotFound) == (not in_reach)
        one = now
    assert (await classes.get_class(platform, XINGTAI, opened.id)).place == place
