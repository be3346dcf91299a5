"""How the surveys of classes stand: who may still answer, and whether too few have (article 8 (4) 1 needs enough answers for a mean)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.unit_of_work import Scope
from server.surveys import rules, store
from server.surveys.documents import Survey
from server.surveys.rules import FewAnswers, SurveyState


@dataclass(frozen=True)
class Standing:
    """The surveys of a class."""

    own: Survey
    """The class's own, which may be over."""
    own_answered: frozenset[str]
    """Who has answered that one, as long as it runs; nobody is looked up once it is over."""
    open: Survey | None
    """The one that runs: it, or a supplement."""
    silent: frozenset[str]
    """Who may answer the one that runs and has not."""
    few: FewAnswers | None
    """Where it ends soon and few have answered."""


async def of_classes(scope: Scope, people: Mapping[str, Collection[str]]) -> dict[str, Standing]:
    """By class id, of classes (id → who is asked) that the caller has fetched already; one without a survey is left out."""
    now = scope.platform.clock.now()
    before = timedelta(days=(await policies.on(scope, beijing_date(now))).survey_reminder_days)
    found = await store.surveys_of_classes(scope, list(people))
    answered: dict[str, set[str]] = {}
    running = [
        one.id for surveys in found.values() for one in surveys if one.state_at(now) is SurveyState.OPEN
    ]
    for survey_id, person_id in await store.respondents_of(scope, running):
        answered.setdefault(survey_id, set()).add(person_id)
    standing = {}
    for class_id, surveys in found.items():
        runs = next((one for one in surveys if one.state_at(now) is SurveyState.OPEN), None)
        silent = frozenset(people[class_id]) - answered.get(runs.id, set()) if runs else frozenset[str]()
        few = None
        if runs and now >= rules.reminder_due(runs.opens_at, runs.closes_at, before):
            heard = len(answered.get(runs.id, ()))
            if rules.are_few(heard, len(people[class_id]), runs.smallest_group):
                few = FewAnswers(heard, len(people[class_id]), runs.closes_at)
        standing[class_id] = Standing(
            surveys[0], frozenset(answered.get(surveys[0].id, ())), runs, silent, few
        )
    return standing
