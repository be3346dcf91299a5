"""Whom a class may ask to teach and to assess, those to be asked first standing first (articles 4.2, 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass

from server.applications import service as applications
from server.backbone import owed
from server.backbone import service as backbone
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.invitations import rules, store
from server.invitations.rules import Engagement, Reason, State
from server.invitations.service import ClassInvitations
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform

RECOMMENDED_MOST = 30


@dataclass(frozen=True)
class Candidate:
    """A backbone teacher as the recommendation shows them."""

    person_id: str
    name: str
    work_unit: str
    id_number_masked: str
    """Shown where two have one name."""
    province_code: str
    teaching: int
    """Tasks of the class's year that are done or still planned (classes.work)."""
    assessment: int
    clashing: list[Engagement]
    invited: list[Kind]
    """For what this class has invited them already, unanswered or accepted."""
    reasons: list[Reason]

    @property
    def selectable(self) -> bool:
        return not self.clashing and len(self.invited) < len(Kind)


async def recommend(
    platform: Platform, actor: Actor, seen: ClassInvitations, *, words: str = "", province_code: str = ""
) -> list[Candidate]:
    """The pool's teachers for a class that the caller has fetched in its reach: those to be asked first stand first, at most 30.

    Of those registered for the class's 专业大类: who is free before who is not, then who the application wished for, then who has taught
    less this year (article 8.4.1). Whose task in this class was cancelled, and who was not asked again, stands last and is marked.
    `words` is part of a name or of a work unit; what is empty matches everything.
    """
    one = seen.training_class
    wished = await _wished(platform, actor, one)
    now = platform.clock.now()
    live = [each for each in seen.invitations if each.state_at(now) in (State.SENT, State.ACCEPTED)]
    asked = {each.teacher_id for each in live}
    cancelled = {each.teacher_id for each in seen.invitations if each.state is State.CANCELLED} - asked
    pipeline = store.recommendation(
        class_id=one.id,
        major=one.major,
        province_code=one.province_code,
        starts_on=one.starts_on,
        ends_on=one.ends_on,
        today=beijing_date(now),
        words=words,
        only_province=province_code,
        wished=wished,
        cancelled=sorted(cancelled),
        limit=RECOMMENDED_MOST,
    )
    rows, year = await store.recommended(platform, pipeline), rules.year_of_task(one.starts_on)
    members = await backbone.members(platform, [row["_id"] for row in rows])
    candidates = []
    for row in rows:
        member = members[row["_id"]]
        clashing = [store.engagement(task) for task in row["clashes"]]
        candidates.append(
            Candidate(
                person_id=row["_id"],
                name=row["name"],
                work_unit=row["work_unit"],
                id_number_masked=row["id_number_masked"],
                province_code=row["province_code"],
                teaching=row["teaching"],
                assessment=row["assessment"],
                clashing=clashing,
                invited=[each.kind for each in live if each.teacher_id == row["_id"]],
                reasons=rules.reasons(
                    year=year,
                    begun=rules.task_days(year)[0] <= beijing_date(now),
                    required=owed.required_tasks(beijing_date(member.registered_at), member.history, year),
                    teaching=(row["teaching_done"], row["teaching_planned"]),
                    assessment=(row["assessment_done"], row["assessment_planned"]),
                    major=one.major_name,
                    same_province=row["province_code"] == one.province_code,
                    wished=row["_id"] in wished,
                    cancelled=row["_id"] in cancelled,
                    clashing=clashing,
                ),
            )
        )
    return candidates


async def _wished(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[str]:
    """Whom the application of the class named as 选择倾向 (article 4.2)."""
    if training_class.application_id is None:
        return []
    application = await applications.get_application(platform, actor, training_class.application_id)
    return [one.person_id for one in application.wished]
