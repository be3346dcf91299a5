"""Surveys that end soon: whoever has not answered is reminded, once (article 8 (4) 1 needs enough answers for a mean).

Who has answered is known (it may be a condition of the certificate); what anybody answered stays apart, and carries no time.
"""

from __future__ import annotations

from datetime import timedelta

from server.classes import service as classes
from server.kernel import policies, reminders
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.surveys import rules, store
from server.surveys.documents import Survey


async def remind_of_surveys(platform: Platform) -> Counts:
    """Reminds those who have not answered the surveys that end soon."""
    now = platform.clock.now()
    before = timedelta(days=(await policies.on(platform, beijing_date(now))).survey_reminder_days)
    closing = await store.closing_between(platform, now, now + before)
    due = [one for one in closing if now >= rules.reminder_due(one.opens_at, one.closes_at, before)]
    known = await reminders.sent(platform, [_key(one) for one in due])
    told = [await _remind(platform, system("surveys"), one.id) for one in due if _key(one) not in known]
    return {"评价": len(told), "提醒": sum(told)}


def _key(survey: Survey) -> str:
    return f"survey-open-reminder:{survey.id}"


@transactional
async def _remind(unit: UnitOfWork, survey_id: str) -> int:
    survey = await store.survey(unit, survey_id)
    if survey is None or survey.closes_at <= unit.now or not await reminders.mark(unit, _key(survey)):
        unit.nothing_written()
        return 0
    answered = await store.respondents(unit, survey_id)
    silent = [
        one for one in await classes.arrived_trainees(unit, survey.class_id) if one.person_id not in answered
    ]
    for one in silent:
        unit.notify(
            one.person_id,
            "survey-open-reminder",
            survey_id=survey_id,
            class_name=survey.class_name,
            closes_at=f"{survey.closes_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        )
    unit.audit("surveys:remind", survey_id, class_id=survey.class_id, people=len(silent))
    return len(silent)
