"""What comes next for a class, said once: for the home page of its institution and for the page of the class (指南第四条).

What is due by the state of the class alone is `classes.rules.next_steps`; here the chapters add what only they know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.attendance import service as attendance
from server.certificates import issue as certificates
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import NextStep
from server.classes.service import CurrentClass
from server.interruptions import facts as interruptions
from server.invitations import service as invitations
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.reopenings import service as reopenings
from server.surveys import reminders as surveys

PATHS = {
    NextStep.CONFIRM_ROSTER: "/roster",
    NextStep.IMPORT_ROSTER: "/roster",
    NextStep.ASSIGN_TEACHERS: "/invitations",
    NextStep.ASSIGN_ASSESSORS: "/invitations",
    NextStep.RELEASE_RESULTS: "/results",
}
"""Where each step is taken, below the address of the class."""


@dataclass(frozen=True)
class ClassStep:
    """Something to do for a class: `words` say what, `path` leads to it, below the address of the class."""

    training_class: TrainingClass
    words: str
    path: str


async def next_steps(platform: Platform, actor: Actor, current: Sequence[CurrentClass]) -> list[ClassStep]:
    """What an institution still has to do for these classes, and for those that were released lately and are no more among them."""
    there = {one.item.id for one in current}
    lately = [one for one in await classes.released_lately(platform, actor) if one.id not in there]
    return await _steps(platform, actor, current, lately)


async def next_steps_of(platform: Platform, actor: Actor, glance: CurrentClass) -> list[ClassStep]:
    """The same of one class."""
    return await _steps(platform, actor, [glance], [])


async def _steps(
    platform: Platform, actor: Actor, current: Sequence[CurrentClass], released: Sequence[TrainingClass]
) -> list[ClassStep]:
    found = [one for one in [*(each.item for each in current), *released] if not one.condition.ended]
    by_state = {one.item.id: one.next_steps for one in current}
    unscheduled = await attendance.unscheduled(platform, found)
    under_way = await interruptions.under_way(platform, list(unscheduled))
    reopened = await reopenings.reopened(platform, [one.id for one in found if not one.frozen])
    today = beijing_date(platform.clock.now())
    unanswered = await invitations.unanswered(platform, [one.id for one in found if one.recruits_on(today)])
    silent = await surveys.few_answers(platform, [one.id for one in found])
    due = await certificates.due_in(platform, actor, found)

    def of_class(one: TrainingClass) -> Iterator[tuple[str, str]]:
        for step in by_state.get(one.id, ()):
            if not (step is NextStep.RELEASE_RESULTS and one.id in reopened):
                yield step.label, PATHS[step]
        if count := unanswered.get(one.id):
            yield f"{count} 封邀请函过期未复，可以另邀骨干教师", "/invitations"
        if hours := unscheduled.get(one.id):
            if one.id in under_way:
                yield f"{hours} 课时尚未安排，变更正在办理", "#changes"
            else:
                yield f"{hours} 课时尚未安排：申请延期补上", "/changes/postpone"
        if reason := reopened.get(one.id):
            yield f"成绩已重新开放，核定后重新公布（{reason}）", "/results"
        if few := silent.get(one.id):
            yield few.words, "/survey"
        if count := due.get(one.id):
            yield f"{count} 人可以核发证书", "/certificates"

    return [ClassStep(one, words, path) for one in found for words, path in of_class(one)]
