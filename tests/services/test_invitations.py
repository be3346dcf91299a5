"""Invitations on a real database: sent once, answered in time, never two that clash."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.invitations import rules, store
from server.invitations import service as invitations
from server.invitations.documents import Invitation
from server.invitations.rules import STEPS, Action, ClassOver, InvitationClosed, State, TeacherBusy
from server.invitations.service import AlreadyInvited, InvitationDraft, NotInvitable, Refusal
from server.kernel import policies
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.identity import Actor, system
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.progress.known import Owner, Step
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.examples import examples
from tests.progressing import steps
from tests.stage import Phone

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)
NO = Refusal(reason="教学任务冲突")
NEXT_MONTH = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}


@pytest.fixture
async def teacher(platform: Platform, wechat: Simulator) -> Phone:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    return await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    """A class of April; today is 2026-03-16."""
    return await an_april_class(platform)


async def an_april_class(platform: Platform, **changes: Any) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft(**(NEXT_MONTH | changes)))


async def invite(
    platform: Platform,
    opened: TrainingClass,
    teacher_id: str,
    kind: Kind = Kind.TEACHING,
    by: Actor = XINGTAI,
) -> Invitation:
    draft = InvitationDraft(kinds=[kind], teacher_ids=[teacher_id])
    [sent] = await invitations.send(platform, by, opened.id, draft)
    return sent


def clock_of(platform: Platform) -> FixedClock:
    assert isinstance(platform.clock, FixedClock)
    return platform.clock


async def state_of(platform: Platform, sent: Invitation) -> State:
    found = await store.by_id(platform, sent.id)
    assert found is not None
    return found.state


async def teachers_of(platform: Platform, opened: TrainingClass) -> list[str]:
    found = await classes.get_class(platform, XINGTAI, opened.id)
    return [one.person_id for one in found.teachers]


# ---- sent and answered


async def test_an_accepted_invitation_makes_the_teacher_one_of_the_class(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    assert (sent.state, sent.reply_until) == (State.SENT, date(2026, 3, 23))
    assert await teachers_of(platform, opened) == []
    accepted = await invitations.accept(platform, teacher.actor, sent.id)
    assert accepted.state is State.ACCEPTED
    assert await teachers_of(platform, opened) == [teacher.actor.id]
    again = await invitations.accept(platform, teacher.actor, sent.id)
    assert again == accepted
    assert await platform["audit"].count_documents({"action": "invitations:accept"}) == 1
    both = await invite(platform, opened, teacher.actor.id, Kind.ASSESSMENT)
    await invitations.accept(platform, teacher.actor, both.id)
    [listed] = await invitations.accepted_teachers(platform, opened.id)
    assert (listed.person_id, listed.kinds) == (teacher.actor.id, [Kind.TEACHING, Kind.ASSESSMENT])
    assert await teachers_of(platform, opened) == [teacher.actor.id]


async def test_a_refusal_says_why_and_is_counted_once(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    declined = await invitations.decline(platform, teacher.actor, sent.id, NO)
    again = await invitations.decline(platform, teacher.actor, sent.id, Refusal(reason="另一个理由"))
    assert again == declined and declined.last.reason == NO.reason
    with pytest.raises(InvitationClosed, match="已被谢绝"):
        await invitations.accept(platform, teacher.actor, sent.id)
    assert await teachers_of(platform, opened) == []
    # and may be asked again
    assert (await invite(platform, opened, teacher.actor.id)).state is State.SENT


async def test_several_are_invited_at_once_or_nobody(platform: Platform, opened: TrainingClass) -> None:
    first = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    second = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER, ("03",))
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[first, second])
    with pytest.raises(NotInvitable, match="信息类"):
        await invitations.send(platform, XINGTAI, opened.id, draft)
    assert await platform["invitations"].count_documents({}) == 0
    assert await platform["outbox"].count_documents({"template": "invitation-sent"}) == 0
    third = await stage.register_backbone(platform, cast.person(40))
    both = {"teacher_ids": [first, third, first], "kinds": [Kind.TEACHING, Kind.ASSESSMENT]}
    sent = await invitations.send(platform, XINGTAI, opened.id, draft.model_copy(update=both))
    wanted = [(who, kind) for who in (first, third) for kind in Kind]
    assert [(one.teacher_id, one.kind) for one in sent] == wanted
    assert await platform["outbox"].count_documents({"template": "invitation-sent"}) == 4
    with pytest.raises(AlreadyInvited):
        await invitations.send(platform, XINGTAI, opened.id, draft.model_copy(update=both))


async def test_one_open_invitation_for_each_class_teacher_and_kind(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    with pytest.raises(AlreadyInvited, match="待回复"):
        await invite(platform, opened, teacher.actor.id)
    await invite(platform, opened, teacher.actor.id, Kind.ASSESSMENT)
    await invitations.accept(platform, teacher.actor, sent.id)
    with pytest.raises(AlreadyInvited, match="已接受"):
        await invite(platform, opened, teacher.actor.id)


async def test_two_officers_at_once_send_one_letter(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sending = [invite(platform, opened, teacher.actor.id) for _ in range(4)]
    done = await asyncio.gather(*sending, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["AlreadyInvited"] * 3 + ["Invitation"]
    assert await platform["invitations"].count_documents({}) == 1
    assert await platform["outbox"].count_documents({"template": "invitation-sent"}) == 1


async def test_only_the_pool_is_invited_and_nobody_to_the_class_they_attend(
    platform: Platform, opened: TrainingClass
) -> None:
    [trainee] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.BACKBONE_TEACHER])
    with pytest.raises(NotInvitable, match="骨干教师库"):
        await invite(platform, opened, trainee)
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    with pytest.raises(NotInvitable, match="本班学员"):
        await invite(platform, opened, trainee)


# ---- clashes


async def test_two_classes_that_share_a_day_are_not_both_accepted(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    last_day = {"starts_on": opened.ends_on, "ends_on": date(2026, 5, 8)}
    other = await an_april_class(platform, name="四月底开始的培训班", **last_day)
    day_after = {"starts_on": opened.ends_on + timedelta(days=1), "ends_on": date(2026, 5, 8)}
    free = await an_april_class(platform, name="次日开始的培训班", **day_after)
    letters = [await invite(platform, one, teacher.actor.id) for one in (opened, other, free)]
    await invitations.accept(platform, teacher.actor, letters[0].id)
    with pytest.raises(TeacherBusy, match=opened.name):
        await invitations.accept(platform, teacher.actor, letters[1].id)
    await invitations.accept(platform, teacher.actor, letters[2].id)
    assert await teachers_of(platform, other) == []
    with pytest.raises(TeacherBusy, match="时间冲突"):
        await invite(platform, other, teacher.actor.id, Kind.ASSESSMENT)


async def test_of_acceptances_at_the_same_moment_that_clash_one_succeeds(
    platform: Platform, wechat: Simulator
) -> None:
    """The guard of a teacher makes them queue, also for the first acceptance of a teacher's life."""
    for number in range(4):
        person = cast.person(50 + number)
        await stage.register_backbone(platform, person)
        phone = await stage.phone(platform, wechat, f"openid-{number}", person)
        clashing = [await an_april_class(platform, name=f"同期培训班 {number}-{n}") for n in range(5)]
        letters = [await invite(platform, one, phone.actor.id) for one in clashing]
        done = await asyncio.gather(
            *(invitations.accept(platform, phone.actor, one.id) for one in letters), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in done) == ["Invitation"] + ["TeacherBusy"] * 4
        taught = [one for one in clashing if await teachers_of(platform, one)]
        assert len(taught) == 1


async def test_the_same_letter_accepted_twice_at_once_answers_the_same(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    done = await asyncio.gather(*(invitations.accept(platform, teacher.actor, sent.id) for _ in range(4)))
    assert {one.id for one in done} == {sent.id} and {one.state for one in done} == {State.ACCEPTED}
    assert await platform["audit"].count_documents({"action": "invitations:accept"}) == 1
    assert await teachers_of(platform, opened) == [teacher.actor.id]


# ---- days


async def test_until_the_last_millisecond_it_may_be_accepted_and_then_no_more(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    clock_of(platform).set(sent.reply_by)
    for late in (
        invitations.accept(platform, teacher.actor, sent.id),
        invitations.decline(platform, teacher.actor, sent.id, NO),
        invitations.withdraw(platform, XINGTAI, opened.id, sent.id, NO),
    ):
        with pytest.raises(InvitationClosed, match="2026年3月23日"):
            await late
    clock_of(platform).set(sent.reply_by - timedelta(milliseconds=1))
    assert (await invitations.accept(platform, teacher.actor, sent.id)).state is State.ACCEPTED


async def test_the_job_reminds_once_two_days_before_and_expires_what_is_over(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    clock = clock_of(platform)
    reminders = {"template": "invitation-reminder", "person_id": teacher.actor.id}
    for moment, reminded, state in (
        (sent.reply_by - timedelta(days=2, milliseconds=1), 0, State.SENT),
        (sent.reply_by - timedelta(days=2), 1, State.SENT),
        (sent.reply_by - timedelta(days=1), 1, State.SENT),
        (sent.reply_by - timedelta(milliseconds=1), 1, State.SENT),
        (sent.reply_by, 1, State.EXPIRED),
        (sent.reply_by + timedelta(days=3), 1, State.EXPIRED),
    ):
        clock.set(moment)
        await asyncio.gather(*(invitations.follow_up(platform) for _ in range(2)))  # two schedulers
        assert await platform["outbox"].count_documents(reminders) == reminded, moment
        assert await state_of(platform, sent) is state
    assert await platform["audit"].count_documents({"action": "invitations:expire"}) == 1
    [line] = [
        one
        for one in await office_inbox.inbox(platform, XINGTAI, InboxFilter(), limit=9)
        if "失效" in one.words
    ]
    assert sent.teacher_name in line.words and line.href.endswith(f"{opened.id}/invitations")
    with pytest.raises(InvitationClosed, match="过回复期限"):
        await invitations.accept(platform, teacher.actor, sent.id)


async def test_who_has_answered_is_not_reminded(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    await invitations.accept(platform, teacher.actor, sent.id)
    clock_of(platform).set(sent.reply_by)
    assert await invitations.follow_up(platform) == 0
    assert await state_of(platform, sent) is State.ACCEPTED


async def test_a_letter_that_is_over_makes_room_before_the_job_has_met_it(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    clock_of(platform).set(sent.reply_by)
    again = await invite(platform, opened, teacher.actor.id)
    assert await state_of(platform, sent) is State.EXPIRED
    assert await state_of(platform, again) is State.SENT


async def test_the_days_to_reply_are_the_policy_of_the_day_of_sending(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    change = PolicyChange(key="invitation_days", value=3, effective_from=date(2026, 3, 16), reason="示例调整")
    await policies.change(platform, stage.actor(cast.CENTRE), change)
    assert (await invite(platform, opened, teacher.actor.id)).reply_until == date(2026, 3, 19)


async def test_nobody_is_invited_to_a_class_that_is_over_nor_taken_off_it(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    await invitations.accept(platform, teacher.actor, sent.id)
    clock_of(platform).set(rules.end_of(opened.ends_on))
    with pytest.raises(ClassOver):
        await invite(platform, opened, teacher.actor.id, Kind.ASSESSMENT)
    with pytest.raises(ClassOver):
        await invitations.cancel(platform, XINGTAI, opened.id, sent.id, NO)


# ---- withdrawn and cancelled


async def test_a_withdrawn_letter_is_not_accepted_and_the_teacher_is_told_why(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    await invitations.withdraw(platform, XINGTAI, opened.id, sent.id, NO)
    with pytest.raises(InvitationClosed, match="已撤回"):
        await invitations.accept(platform, teacher.actor, sent.id)
    [told] = await platform["outbox"].find({"template": "invitation-withdrawn"}).to_list(None)
    assert told["person_id"] == teacher.actor.id and told["data"]["reason"] == NO.reason


async def test_withdrawing_and_accepting_at_once_leave_one_truth(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    await asyncio.gather(
        invitations.accept(platform, teacher.actor, sent.id),
        invitations.withdraw(platform, XINGTAI, opened.id, sent.id, NO),
        return_exceptions=True,
    )
    state = await state_of(platform, sent)
    teaches = teacher.actor.id in await teachers_of(platform, opened)
    assert (state, teaches) in ((State.ACCEPTED, True), (State.WITHDRAWN, False))


async def test_a_teacher_leaves_the_class_with_the_last_of_the_tasks_and_is_free_again(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    letters = [await invite(platform, opened, teacher.actor.id, kind) for kind in Kind]
    for one in letters:
        await invitations.accept(platform, teacher.actor, one.id)
    await invitations.cancel(platform, XINGTAI, opened.id, letters[0].id, NO)
    assert await teachers_of(platform, opened) == [teacher.actor.id]
    await invitations.cancel(platform, XINGTAI, opened.id, letters[1].id, NO)
    assert await teachers_of(platform, opened) == []
    with pytest.raises(InvitationClosed, match="已取消"):
        await invitations.cancel(platform, XINGTAI, opened.id, letters[1].id, NO)
    other = await an_april_class(platform, name="同期的另一个培训班")
    await invitations.accept(platform, teacher.actor, (await invite(platform, other, teacher.actor.id)).id)


# ---- who


async def test_a_neighbour_sees_and_changes_nothing(
    platform: Platform, wechat: Simulator, opened: TrainingClass, teacher: Phone
) -> None:
    sent = await invite(platform, opened, teacher.actor.id)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    attempts: list[Coroutine[Any, Any, object]] = [
        invitations.invitations_of_class(platform, YANGZHOU, opened.id),
        invite(platform, opened, other.actor.id, by=YANGZHOU),
        invitations.withdraw(platform, YANGZHOU, opened.id, sent.id, NO),
        invitations.cancel(platform, YANGZHOU, opened.id, sent.id, NO),
        invitations.invitation_in_reach(platform, YANGZHOU, opened.id, sent.id),
        invitations.invitation_in_reach(platform, stage.actor(cast.JIANGSU_OFFICER), opened.id, sent.id),
        invitations.accept(platform, other.actor, sent.id),
        invitations.decline(platform, other.actor, sent.id, NO),
        invitations.my_invitation(platform, other.actor, sent.id),
        invitations.invitation_in_reach(platform, XINGTAI, new_id(), sent.id),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            await attempt
    assert await invitations.my_invitations(platform, other.actor) == []
    assert await state_of(platform, sent) is State.SENT


async def test_the_institution_hears_of_a_class_that_nobody_will_teach(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    async def teaching() -> dict[str, Step]:
        found = await steps(platform, XINGTAI, opened.id)
        return {key: one for key, one in found.items() if key.endswith("-teaching")}

    assert list(await teaching()) == ["invite-teaching"]
    first = await invite(platform, opened, teacher.actor.id)
    waits = (await teaching())["answer-teaching"]
    assert (waits.owner, waits.due) == (Owner.TEACHERS, first.reply_until) and len(await teaching()) == 1
    await invitations.decline(platform, teacher.actor, first.id, NO)
    [line] = (await teaching()).values()
    assert line.since == beijing_date(platform.clock.now())
    assert "授课邀请无人接受" in line.title and line.url == f"/admin/classes/{opened.id}/invitations"
    assert await steps(platform, YANGZHOU, opened.id) == {}
    silent = await invite(platform, opened, await stage.register_backbone(platform, cast.person(41)))
    assert list(await teaching()) == ["answer-teaching"]
    clock_of(platform).set(silent.reply_by)
    [line] = (await teaching()).values()
    assert "无人接受" in line.title
    assert line.since == silent.reply_until + timedelta(days=1) and not line.overdue_on(line.since)


async def test_a_letter_waits_for_its_teacher_also_where_somebody_else_has_accepted(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    first = await invite(platform, opened, teacher.actor.id)
    await invitations.accept(platform, teacher.actor, first.id)
    second = await invite(platform, opened, await stage.register_backbone(platform, cast.person(41)))
    waits = (await steps(platform, XINGTAI, opened.id))["answer-teaching"]
    assert (waits.who, waits.due) == (cast.person(41).name, second.reply_until)
    clock_of(platform).advance(timedelta(days=1))
    await invitations.cancel(platform, XINGTAI, opened.id, first.id, NO)
    await invitations.withdraw(platform, XINGTAI, opened.id, second.id, NO)
    found = await steps(platform, XINGTAI, opened.id)
    assert (
        found["invite-teaching"].since == beijing_date(platform.clock.now())
        and "answer-teaching" not in found
    )


async def test_letters_that_expire_are_told_until_somebody_accepts_or_is_asked_anew(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    async def told() -> str:
        others = (await steps(platform, XINGTAI, opened.id)).get("invite-others")
        assert others is None or others.since == beijing_date(silent[0].reply_by)
        return others.title if others else ""

    late = await stage.register_backbone(platform, cast.person(41))
    silent = [await invite(platform, opened, late, kind) for kind in Kind]
    clock_of(platform).advance(timedelta(days=1))
    asked = [await invite(platform, opened, teacher.actor.id, kind) for kind in Kind]
    assert await told() == ""
    clock_of(platform).set(silent[0].reply_by)
    assert (await told()).startswith("2 封邀请函过期未复")
    await invitations.accept(platform, teacher.actor, asked[0].id)
    assert (await told()).startswith("1 封邀请函过期未复"), "somebody is there for the first"
    await invite(platform, opened, late, asked[1].kind)
    assert await told() == "", "somebody was asked since"


# ---- a class whose days are corrected


async def correct_days(platform: Platform, opened: TrainingClass, first: date, last: date) -> None:
    """The institution asks for other days of a class, and its province approves."""
    wanted = ClassCorrection(
        name=opened.name, place="图书馆 201", starts_on=first, ends_on=last, reason="实训楼检修，改期改地点。"
    )
    asked = await corrections.correct_class(platform, XINGTAI, opened.id, wanted)
    await corrections.approve(platform, stage.actor(cast.HEBEI_OFFICER), asked.id)


async def test_the_letters_follow_a_class_whose_days_are_corrected(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    accepted = await invite(platform, opened, teacher.actor.id)
    await invitations.accept(platform, teacher.actor, accepted.id)
    gone = await invite(platform, opened, teacher.actor.id, Kind.ASSESSMENT)
    await invitations.withdraw(platform, XINGTAI, opened.id, gone.id, NO)
    await correct_days(platform, opened, date(2026, 5, 11), date(2026, 5, 22))
    newest, oldest = await invitations.my_invitations(platform, teacher.actor)
    assert (oldest.starts_on, oldest.ends_on, oldest.place) == (
        date(2026, 5, 11),
        date(2026, 5, 22),
        "图书馆 201",
    )
    assert newest.starts_on == opened.starts_on  # settled letters stay as they were
    assert await platform["outbox"].count_documents({"template": "invitation-corrected"}) == 1
    # the old days are free again, the new ones are not
    april = await an_april_class(platform, name="四月的另一个培训班")
    await invite(platform, april, teacher.actor.id)
    days = {"starts_on": date(2026, 5, 22), "ends_on": date(2026, 5, 29)}
    may = await an_april_class(platform, name="五月的另一个培训班", **days)
    with pytest.raises(TeacherBusy):
        await invite(platform, may, teacher.actor.id)


async def test_a_correction_that_would_make_two_accepted_classes_clash_is_not_approved(
    platform: Platform, opened: TrainingClass, teacher: Phone
) -> None:
    may = await an_april_class(
        platform, name="五月培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)
    )
    for one in (opened, may):
        sent = await invite(platform, one, teacher.actor.id)
        await invitations.accept(platform, teacher.actor, sent.id)
    with pytest.raises(TeacherBusy, match="五月培训班"):
        await correct_days(platform, opened, date(2026, 5, 20), date(2026, 5, 29))
    found = await classes.get_class(platform, XINGTAI, opened.id)
    assert (found.starts_on, found.place) == (opened.starts_on, opened.place)


# ---- the table of states


Move = tuple[str, str]
MOVES: list[Move] = [
    (who, what)
    for who in ("teacher", "other teacher", "institution", "neighbour", "platform")
    for what in ("accept", "decline", "withdraw", "cancel", "expire", "send")
]
ALLOWED = {
    "teacher": {Action.ACCEPT, Action.DECLINE},
    "institution": {Action.WITHDRAW, Action.CANCEL, Action.SEND},
    "platform": {Action.EXPIRE},
}


@examples(15)
@given(moves=st.lists(st.sampled_from(MOVES), max_size=8), late=st.booleans())
async def test_whoever_does_whatever_only_the_table_happens_and_never_without_an_audit_entry(
    platform: Platform, wechat: Simulator, moves: list[Move], late: bool
) -> None:
    """Random actors and actions on the database: each ends in the state that the table names, or is refused and changes nothing."""
    await platform["invitations"].delete_many({})
    await platform["audit"].delete_many({})
    actors = await everybody(platform, wechat)
    opened = await an_april_class(platform)
    letter = await invite(platform, opened, actors["teacher"].id)
    before = clock_of(platform).now()
    try:
        if late:
            clock_of(platform).set(letter.reply_by)
        for who, what in moves:
            letter = await one_move(platform, opened, letter, actors[who], who, Action[what.upper()])
    finally:
        clock_of(platform).set(before)
    rows = await platform["invitations"].find({}).to_list(None)
    steps = sum(len(row["history"]) for row in rows)
    noted = {"action": {"$in": [f"invitations:{action.value.lower()}" for action in Action]}}
    assert await platform["audit"].count_documents(noted) == steps
    teaches = actors["teacher"].id in await teachers_of(platform, opened)
    assert teaches == any(row["state"] == State.ACCEPTED for row in rows)


async def one_move(
    platform: Platform, opened: TrainingClass, letter: Invitation, actor: Actor, who: str, action: Action
) -> Invitation:
    """Makes the move and checks what became of the letter; a new letter takes the place of a settled one."""
    old = await store.by_id(platform, letter.id)
    assert old is not None
    over = old.state_at(platform.clock.now()) is State.EXPIRED
    try:
        new = await moved(platform, opened, letter, actor, action)
    except (Problem, AssertionError) as refusal:
        assert not isinstance(refusal, AssertionError) or actor.kind != "person"
        found = await store.by_id(platform, letter.id)
        assert found == old
        return letter
    if new.id != letter.id:
        assert who == "institution" and action is Action.SEND
        assert old.state in (State.DECLINED, State.EXPIRED, State.WITHDRAWN, State.CANCELLED) or over
        return new
    if new.state is not old.state:
        assert action in ALLOWED[who]
        assert STEPS.transitions[old.state, action] is new.state
        assert (action is Action.EXPIRE) == (over and old.state is State.SENT)
    return new


async def moved(
    platform: Platform, opened: TrainingClass, letter: Invitation, actor: Actor, action: Action
) -> Invitation:
    match action:
        case Action.ACCEPT:
            return await invitations.accept(platform, actor, letter.id)
        case Action.DECLINE:
            return await invitations.decline(platform, actor, letter.id, NO)
        case Action.WITHDRAW:
            return await invitations.withdraw(platform, actor, opened.id, letter.id, NO)
        case Action.CANCEL:
            return await invitations.cancel(platform, actor, opened.id, letter.id, NO)
        case Action.SEND:
            return await invite(platform, opened, letter.teacher_id, by=actor)
        case Action.CLOSE:
            raise Forbidden()  # only the end of its class closes a letter
        case Action.EXPIRE:
            if actor.kind != "system":
                raise Forbidden()
            await invitations.follow_up(platform)
            found = await store.by_id(platform, letter.id)
            assert found is not None
            return found


async def everybody(platform: Platform, wechat: Simulator) -> dict[str, Actor]:
    phones = {}
    for who, person in (
        ("teacher", cast.BACKBONE_TEACHER),
        ("other teacher", cast.SECOND_BACKBONE_TEACHER),
    ):
        if await platform["persons"].find_one({"name": person.name}) is None:
            await stage.register_backbone(platform, person)
            phones[who] = (await stage.phone(platform, wechat, f"openid-{who[:5]}", person)).actor
        else:
            phones[who] = (await stage.phone(platform, wechat, f"openid-{who[:5]}")).actor
    return {
        **phones,
        "institution": XINGTAI,
        "neighbour": YANGZHOU,
        "platform": system("invitations"),
    }
