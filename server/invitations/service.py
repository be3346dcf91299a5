"""Invitations (邀请函) to backbone teachers: sent, answered, reminded, expired (articles 4.2 and 6).

An accepted invitation makes the teacher one of the class's. Whom a class may ask is `recommendation`, what teachers have taken on and
done is `engagements`, the letter itself `letter`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import binding, people
from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind, Stage
from server.institutions.rules import MAJORS
from server.invitations import rules, store
from server.invitations.documents import Invitation
from server.invitations.rules import Action, ClassOver, Engagement, InvitationClosed, State
from server.kernel import offices, policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor, system
from server.kernel.life import LifeStep
from server.kernel.offices import Said, Topic
from server.kernel.platform import Platform
from server.kernel.reasons import ShortReason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

AT_ONCE = 100
"""Invitations that one run of the job expires, and reminds of, at most."""
TeacherId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


class AlreadyInvited(Conflict):
    slug = "already-invited"
    title = "已经邀请过"
    default_detail = "其中有教师已收到本班的同类邀请，请刷新页面后再选。"


class NotInvitable(Conflict):
    slug = "not-invitable"
    title = "不能邀请该教师"


class InvitationDraft(BaseModel):
    kinds: Annotated[list[Kind], Field(title="邀请事项", min_length=1, max_length=2)]
    """A letter for each: what somebody takes on is accepted and cancelled by itself."""
    teacher_ids: Annotated[list[TeacherId], Field(title="骨干教师", min_length=1, max_length=20)]
    message: Annotated[str, Field(title="附言", max_length=300)] = ""


class Refusal(BaseModel):
    reason: ShortReason


@dataclass(frozen=True)
class ClassInvitations:
    training_class: TrainingClass
    invitations: list[Invitation]
    """Newest first."""
    called: dict[str, str]
    """Id → what to call each of the teachers: two of one name are told apart."""
    over: bool
    """Whether the class is: then nobody is invited any more."""


@dataclass(frozen=True)
class AcceptedTeacher:
    person_id: str
    name: str
    kinds: list[Kind]


# ---- the institution


async def invitations_of_class(platform: Platform, actor: Actor, class_id: str) -> ClassInvitations:
    """Everybody whom a class in one's reach has invited. Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    over = training_class.stage_on(beijing_date(platform.clock.now())) is Stage.FINISHED
    sent = await store.of_class(platform, class_id)
    called = await people.called(platform, {one.teacher_id: one.teacher_name for one in sent})
    return ClassInvitations(training_class, sent, called, over)


async def send(platform: Platform, actor: Actor, class_id: str, draft: InvitationDraft) -> list[Invitation]:
    """Sends each of these teachers of the pool an 邀请函 for each task, to all or to none, and tells them (article 4.2).

    Raises ClassOver; NotInvitable for somebody who is not in the pool for this 专业大类 or attends the class; TeacherBusy; AlreadyInvited
    when one has an open or accepted invitation of this kind to this class.
    """
    try:
        return await _send(platform, actor, class_id, draft)
    except DuplicateKeyError:  # somebody else sent it at the same moment
        raise AlreadyInvited() from None


@transactional
async def _send(unit: UnitOfWork, class_id: str, draft: InvitationDraft) -> list[Invitation]:
    rules.STEPS.require_right(Action.SEND, unit.actor.roles)
    training_class = await classes.get_class(unit, unit.actor, class_id)
    classes.require_not_ended(training_class)
    await classes.take_turn(unit, class_id)  # the class is not called off meanwhile
    today = beijing_date(unit.now)
    days = (await policies.on(unit, today)).invitation_days
    reply_by = rules.end_of(rules.reply_until(today, days, training_class.starts_on, training_class.ends_on))
    earlier = await store.of_class(unit, class_id)
    new = []
    for teacher_id in dict.fromkeys(draft.teacher_ids):
        teacher = await _invitable(unit, training_class, teacher_id)
        before = [one for one in earlier if one.teacher_id == teacher_id]
        for kind in dict.fromkeys(draft.kinds):
            await _require_first(unit, before, kind)
            new.append(_letter(unit, training_class, teacher, kind, draft.message, reply_by))
    await store.insert(unit, new)
    for invitation in new:
        unit.audit("invitations:send", class_id, **_facts(invitation))
        unit.notify(invitation.teacher_id, "invitation-sent", **_news(invitation))
    return new


async def _invitable(unit: UnitOfWork, training_class: TrainingClass, teacher_id: str) -> PoolMember:
    teacher = await backbone.teacher_in_pool(unit, teacher_id)
    if teacher is None:
        raise NotInvitable("授课和考核须由骨干教师承担（指南第六条），请从骨干教师库中选择。")
    if not teacher.active:
        raise NotInvitable(
            f"{teacher.name}老师的骨干教师状态为“{teacher.status.label}”，目前不能邀请，请另选骨干教师。"
        )
    if teacher.due_on and teacher.due_on <= training_class.ends_on:
        raise NotInvitable(
            f"{teacher.name}老师的骨干教师状态将于 {teacher.due_on} 变更，早于本班结束，请另选骨干教师。"
        )
    if training_class.major not in teacher.majors:
        majors = "、".join(MAJORS[code].name for code in teacher.majors)
        raise NotInvitable(
            f"{teacher.name}老师登记的专业大类是{majors}，不含本班的{training_class.major_name}。"
        )
    if await classes.is_enrolled(unit, training_class.id, teacher_id):
        raise NotInvitable(f"{teacher.name}老师是本班学员，不能同时承担本班的授课和考核。")
    rules.require_free(teacher.name, await _clashes(unit, teacher_id, training_class))
    return teacher


async def _require_first(unit: UnitOfWork, earlier: Sequence[Invitation], kind: Kind) -> None:
    """An open letter whose day is over, and which no run of the job has met yet, makes room here."""
    for one in earlier:
        if one.kind is not kind:
            continue
        match one.state_at(unit.now):
            case State.ACCEPTED:
                raise AlreadyInvited(f"{one.teacher_name}老师已接受本班的{kind.label}邀请。")
            case State.SENT:
                raise AlreadyInvited(f"{one.teacher_name}老师已有一封待回复的{kind.label}邀请函。")
            case State.EXPIRED if one.state is State.SENT:
                await _write(unit, one, Action.EXPIRE, State.EXPIRED)


def _letter(
    unit: UnitOfWork,
    training_class: TrainingClass,
    teacher: PoolMember,
    kind: Kind,
    message: str,
    reply_by: datetime,
) -> Invitation:
    return Invitation(
        class_id=training_class.id,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        institution_name=training_class.institution_name,
        province_code=training_class.province_code,
        level=training_class.level,
        major=training_class.major,
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        class_hours=training_class.class_hours,
        place=training_class.place,
        teacher_id=teacher.id,
        teacher_name=teacher.name,
        teacher_unit=teacher.work_unit,
        kind=kind,
        message=message.strip(),
        sent_at=unit.now,
        reply_by=reply_by,
        remind_at=rules.remind_at(unit.now, reply_by),
        history=[step(unit, Action.SEND)],
    )


@transactional
async def withdraw(unit: UnitOfWork, class_id: str, invitation_id: str, refusal: Refusal) -> Invitation:
    """Takes back an open letter, with a reason that the teacher reads. Raises NotFound, InvitationClosed."""
    invitation = await invitation_in_reach(unit, unit.actor, class_id, invitation_id)
    _require_in_time(invitation, unit)
    withdrawn = await _settle(unit, invitation, Action.WITHDRAW, refusal.reason)
    unit.notify(invitation.teacher_id, "invitation-withdrawn", **_news(invitation), reason=refusal.reason)
    return withdrawn


@transactional
async def cancel(unit: UnitOfWork, class_id: str, invitation_id: str, refusal: Refusal) -> Invitation:
    """Cancels what a teacher has accepted, with a reason: they do this no more, and without any other task leave the class.

    What the teacher did in the class stays. Raises NotFound, InvitationClosed, or ClassOver: a task that is done stays done.
    """
    invitation = await invitation_in_reach(unit, unit.actor, class_id, invitation_id)
    if beijing_date(unit.now) > invitation.ends_on:
        raise ClassOver()
    cancelled = await _settle(unit, invitation, Action.CANCEL, refusal.reason)
    await classes.remove_teacher(unit, class_id, invitation.teacher_id, invitation.kind)
    unit.notify(invitation.teacher_id, "invitation-cancelled", **_news(invitation), reason=refusal.reason)
    return cancelled


async def invitation_in_reach(scope: Scope, actor: Actor, class_id: str, invitation_id: str) -> Invitation:
    """One letter of a class in a staff actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, class_id, invitation_id)
    if found is None:
        raise NotFound("没有这封邀请函，或不在您的管理范围内。")
    return found


async def accepted_teachers(scope: Scope, class_id: str) -> list[AcceptedTeacher]:
    """Who has accepted to teach or assess a class, and what, in the order of acceptance of the letters."""
    kinds: dict[tuple[str, str], list[Kind]] = {}
    for one in reversed(await store.of_class(scope, class_id)):
        if one.state is State.ACCEPTED:
            kinds.setdefault((one.teacher_id, one.teacher_name), []).append(one.kind)
    return [AcceptedTeacher(person_id, name, which) for (person_id, name), which in kinds.items()]


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """邀请 (article 4.2): done once somebody has accepted."""
    sent = await store.of_class(platform, training_class.id)
    accepted = await accepted_teachers(platform, training_class.id)
    answered = max((one.history[-1].at for one in sent if one.state is State.ACCEPTED), default=None)
    return [
        LifeStep(
            "邀请",
            "done" if accepted else "current" if sent else "todo",
            "、".join(one.name for one in accepted),
            answered,
            f"/admin/classes/{training_class.id}/invitations",
            f"发出 {len(sent)} 封" if sent and not accepted else "",
        )
    ]


# ---- the teacher


async def my_invitations(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[Invitation]:
    """The letters to this teacher, newest first."""
    return await store.of_teacher(platform, actor.person_id, before=before, limit=limit)


async def my_invitation(scope: Scope, actor: Actor, invitation_id: str) -> Invitation:
    """Raises NotFound for a letter to anybody else."""
    found = await store.addressed_to(scope, actor.person_id, invitation_id)
    if found is None:
        raise NotFound("没有这封邀请函，或它不是发给您的。")
    return found


@transactional
async def accept(unit: UnitOfWork, invitation_id: str) -> Invitation:
    """Takes the task on: from now on the teacher is one of the class's. Sent again, it changes nothing.

    Raises NotFound; InvitationClosed when its day is over or it was settled otherwise; TeacherBusy for a class whose days clash with
    another that the teacher has accepted, also one accepted at the same moment; TeacherNotInPool.
    """
    invitation = await my_invitation(unit, unit.actor, invitation_id)
    if invitation.state is State.ACCEPTED:
        unit.nothing_written()
        return invitation
    binding.require_rested(unit)
    _require_in_time(invitation, unit)
    await store.hold_teacher(unit, invitation.teacher_id)
    rules.require_free(invitation.teacher_name, await _clashes(unit, invitation.teacher_id, invitation))
    accepted = await _settle(unit, invitation, Action.ACCEPT)
    await classes.add_teacher(unit, invitation.class_id, invitation.teacher_id, invitation.kind)
    return accepted


@transactional
async def decline(unit: UnitOfWork, invitation_id: str, refusal: Refusal) -> Invitation:
    """Declines with a reason that the institution reads. Sent again, it changes nothing. Raises NotFound, InvitationClosed."""
    invitation = await my_invitation(unit, unit.actor, invitation_id)
    if invitation.state is State.DECLINED:
        unit.nothing_written()
        return invitation
    _require_in_time(invitation, unit)
    return await _settle(unit, invitation, Action.DECLINE, refusal.reason)


# ---- corrections of a class


async def follow_class(unit: UnitOfWork, training_class: TrainingClass) -> None:
    """Part of an approved correction: open and accepted letters say of the class what it says now, and their teachers are told.

    Raises TeacherBusy when the new days clash with another class that one of them has accepted.
    """
    for one in await store.of_class(unit, training_class.id):
        if one.state not in (State.SENT, State.ACCEPTED):
            continue
        if one.state is State.ACCEPTED:
            await store.hold_teacher(unit, one.teacher_id)
            rules.require_free(one.teacher_name, await _clashes(unit, one.teacher_id, training_class))
        corrected = one.model_copy(
            update={
                "class_name": training_class.name,
                "place": training_class.place,
                "starts_on": training_class.starts_on,
                "ends_on": training_class.ends_on,
                "reply_by": min(one.reply_by, rules.end_of(training_class.ends_on)),
            }
        )
        await store.correct(unit, corrected)
        unit.notify(one.teacher_id, "invitation-corrected", **_news(corrected))


async def follow_institution(unit: UnitOfWork, code: str, name: str) -> None:
    """Part of an approved correction: letters of classes that are not closed are the institution's under its new name."""
    await store.rename_institution(unit, code, name)


async def close_all(unit: UnitOfWork, training_class: TrainingClass, reason: str, *, accepted: bool) -> None:
    """Part of a use case that ends a class: open letters are withdrawn, with `accepted` what was accepted is cancelled, and their
    teachers are told. What stays accepted ends with the class, so that the teacher is free again."""
    for one in await store.of_class(unit, training_class.id):
        if one.state is State.SENT or (one.state is State.ACCEPTED and accepted):
            kind = "invitation-withdrawn" if one.state is State.SENT else "invitation-cancelled"
            await _settle(unit, one, Action.CLOSE, reason)
            unit.notify(one.teacher_id, kind, **_news(one), reason=reason)
        elif one.state is State.ACCEPTED:
            await store.correct(unit, one.model_copy(update={"ends_on": training_class.ends_on}))


# ---- the platform


async def follow_up(platform: Platform) -> int:
    """The scheduled work: expires what nobody answered in time, reminds of what ends in two days; returns how many.

    Each in a transaction of its own that looks again, so that two schedulers do each once.
    """
    now = platform.clock.now()
    job = system("invitations")
    done = 0
    for invitation_id in await store.over(platform, now, AT_ONCE):
        done += await _expire(platform, job, invitation_id)
    for invitation_id in await store.to_remind(platform, now, AT_ONCE):
        done += await _remind(platform, job, invitation_id)
    return done


@transactional
async def _expire(unit: UnitOfWork, invitation_id: str) -> bool:
    invitation = await store.by_id(unit, invitation_id)
    if invitation is None or invitation.state is not State.SENT or unit.now < invitation.reply_by:
        unit.nothing_written()
        return False
    await _settle(unit, invitation, Action.EXPIRE)
    what = f"“{invitation.class_name}”的{invitation.kind.label}邀请"
    unit.tell(
        Said(
            offices.institution(invitation.institution_code),
            Topic.EXPIRING,
            f"{invitation.teacher_name}没有在 {invitation.reply_until} 前答复{what}，邀请函已失效，可以另邀。",
            f"/admin/classes/{invitation.class_id}/invitations",
        )
    )
    return True


@transactional
async def _remind(unit: UnitOfWork, invitation_id: str) -> bool:
    invitation = await store.by_id(unit, invitation_id)
    if invitation is None or invitation.state is not State.SENT or invitation.remind_at is None:
        unit.nothing_written()
        return False
    await store.note_reminder(unit, invitation.id)
    unit.audit("invitations:remind", invitation.class_id, **_facts(invitation))
    unit.notify(invitation.teacher_id, "invitation-reminder", **_news(invitation))
    return True


# ---- what they share


def _require_in_time(invitation: Invitation, unit: UnitOfWork) -> None:
    """By the clock, whether or not the job has met it yet."""
    if invitation.state is State.SENT and invitation.state_at(unit.now) is State.EXPIRED:
        last = invitation.reply_until
        raise InvitationClosed(
            f"回复期限到{last.year}年{rules.short_day(last)}为止，这封邀请函已自动失效。如仍有意向，请由培训机构重新发函。"
        )


async def _clashes(scope: Scope, teacher_id: str, wanted: TrainingClass | Invitation) -> list[Engagement]:
    class_id = wanted.class_id if isinstance(wanted, Invitation) else wanted.id
    accepted = await store.accepted_from(scope, teacher_id, wanted.starts_on)
    return rules.clashes((one.engagement() for one in accepted), class_id, wanted.starts_on, wanted.ends_on)


async def _settle(unit: UnitOfWork, invitation: Invitation, action: Action, reason: str = "") -> Invitation:
    """Moves the letter by the table. Raises Forbidden, InvitationClosed."""
    state = rules.STEPS.after(invitation.state, action, unit.actor.roles)
    return await _write(unit, invitation, action, state, reason)


async def _write(
    unit: UnitOfWork, invitation: Invitation, action: Action, state: State, reason: str = ""
) -> Invitation:
    """Keeps the step with the letter and audits it under the class."""
    done = step(unit, action, reason)
    await store.settle(unit, invitation, state, done)
    facts = _facts(invitation) | ({"reason": reason} if reason else {})
    unit.audit(f"invitations:{action.value.lower()}", invitation.class_id, **facts)
    return invitation.model_copy(
        update={"state": state, "remind_at": None, "history": [*invitation.history, done]}
    )


def _facts(invitation: Invitation) -> dict[str, str]:
    return {
        "invitation_id": invitation.id,
        "person_id": invitation.teacher_id,
        "invited_for": invitation.kind.label,
    }


def _news(invitation: Invitation) -> dict[str, str]:
    """What a message about it says."""
    return {
        "invitation_id": invitation.id,
        "class_id": invitation.class_id,
        "class_name": invitation.class_name,
        "kind": invitation.kind.label,
        "starts_on": invitation.starts_on.isoformat(),
        "ends_on": invitation.ends_on.isoformat(),
        "institution": invitation.institution_name,
        "reply_until": invitation.reply_until.isoformat(),
    }
