"""催办: somebody is asked again to do what waits for them. Once a day for each thing, whoever asks, and never for what is done meanwhile.

Staff read it in their inbox and beside the thing on 工作台; teachers and trainees are told by a message to their phone.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import DuplicateKeyError

from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.invitations import standing as invitations
from server.kernel import offices, policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, Forbidden
from server.kernel.identity import Actor
from server.kernel.offices import Said, Topic
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.progress import desk, rules, service, store
from server.progress.desk import Line
from server.progress.documents import Urging
from server.progress.known import Owner
from server.schemes import standing as schemes
from server.surveys import standing as surveys


class AlreadyUrged(Conflict):
    slug = "already-urged"
    title = "今天已经催办过"
    default_detail = "这件事今天已经催办过，对方已收到提醒。仍未办理的，请明天再催办。"


class TooEarlyToUrge(Conflict):
    slug = "too-early-to-urge"
    title = "还不到催办的时候"


class NothingToUrge(Conflict):
    slug = "nothing-to-urge"
    title = "这件事已经办好"
    default_detail = "这件事已经办好，或不再等待办理，不用催办。请刷新页面查看最新进展。"


class OwnStep(Forbidden):
    slug = "own-step"
    title = "这件事等您办理"
    default_detail = "这件事等本单位办理，请直接办理。"


class Urge(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(title="事项", pattern=r"^[a-z_]+:[0-9a-f]{24}(:[a-z0-9-]+)?$")]
    back: Annotated[str, Field(pattern=r"^/admin(/classes/[0-9a-f]{24})?$")] = "/admin"
    """The page that it was asked on."""


async def urge(platform: Platform, actor: Actor, wanted: Urge) -> Urging:
    """Asks whoever it waits for. Raises NotFound outside the actor's reach, NothingToUrge, OwnStep, TooEarlyToUrge, AlreadyUrged."""
    try:
        return await _urge(platform, actor, wanted.item)
    except DuplicateKeyError:
        raise AlreadyUrged() from None


@transactional
async def _urge(unit: UnitOfWork, item: str) -> Urging:
    line = await desk.line_of(unit, unit.actor, item)
    if line is None or not line.key:
        raise NothingToUrge()
    if desk.is_own(line, unit.actor):
        raise OwnStep()
    today = beijing_date(unit.now)
    after = (await policies.on(unit, today)).urge_after_days
    if line.since is None:
        raise TooEarlyToUrge("这件事可以随时办理，没有开始等待的日期，不用催办。")
    if not rules.may_be_urged(line.since, today, after, None):
        raise TooEarlyToUrge(f"这件事 {line.since} 才开始等待办理，满 {after} 天后可以催办。")
    new = Urging(
        item=line.key,
        owner=line.owner,
        since=line.since,
        day=today,
        title=line.title,
        to=line.who,
        province_code=line.provinces[0] if line.provinces else None,
        institution_code=line.institution_code,
        by_id=unit.actor.id,
        by=unit.actor.name,
        office=await service.office_in_words(unit, unit.actor),
        at=unit.now,
    )
    await store.insert(unit, new)
    if line.owner in (Owner.TEACHERS, Owner.TRAINEES):
        await _tell_people(unit, line, new.office)
    else:
        days = f"，已等待 {(today - line.since).days} 天" if line.since and line.since < today else ""
        about = f"（{line.about}）" if line.about and line.about not in line.title else ""
        words = f"{new.office}催办：{line.title}{about}{days}"
        for to in _addresses(line):
            unit.tell(Said(to, Topic.URGED, words, line.leads))
    unit.audit("progress:urge", new.item, title=line.title, to=line.who)
    return new


def _addresses(line: Line) -> list[str]:
    if line.owner is Owner.CENTRE:
        return [offices.CENTRE]
    if line.owner is Owner.PROVINCE:
        return [offices.province(one) for one in line.provinces]
    return [offices.institution(line.institution_code or "")]


async def _tell_people(unit: UnitOfWork, line: Line, office: str) -> None:
    _, class_id, key = line.key.split(":")
    training_class = await classes.get_class(unit, unit.actor, class_id)
    people = await _people(unit, training_class, key)
    if not people:
        raise NothingToUrge()
    for person_id in people:
        unit.notify(
            person_id,
            "work-urged",
            class_name=training_class.name,
            by=office,
            owed=line.title.partition("：")[0],
        )


async def _people(scope: Scope, training_class: TrainingClass, key: str) -> list[str]:
    """Who is to take a step that is no office's, as it stands now."""
    match key:
        case "answer-teaching" | "answer-assessment":
            asked = (await invitations.of_classes(scope, [training_class.id])).get(training_class.id, {})
            kind = Kind.TEACHING if key == "answer-teaching" else Kind.ASSESSMENT
            return [one.teacher_id for one in asked[kind].open] if kind in asked else []
        case "scheme-sign":
            newest = (await schemes.of_classes(scope, [training_class])).get(training_class.id)
            return [one.person_id for one in newest.unsigned] if newest else []
        case "grade":
            return [one.person_id for one in training_class.who(Kind.ASSESSMENT)]
        case "applicants-teachers":
            return [one.person_id for one in training_class.who(Kind.TEACHING)]
        case "survey-answer":
            there = [one.person_id for one in await classes.arrived_trainees(scope, training_class.id)]
            standing = (await surveys.of_classes(scope, {training_class.id: there})).get(training_class.id)
            return sorted(standing.silent) if standing else []
    return []
