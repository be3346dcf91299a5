"""Results released, and certificates."""

from __future__ import annotations

from server.assessment import service as assessment
from server.certificates import issue
from server.certificates.issue import Revocation
from server.kernel.errors import Problem
from server.reissues import revoking
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from tests import surveying
from tests.life.story import WHY, Life, Move, NothingToDo, act


@act("trainee")
async def answer_the_survey(life: Life, move: Move) -> None:
    """All the phones that may: it opens by itself once the last session has ended."""
    await survey_opening.open_if_due(life.platform, [move.held.id])
    survey = await surveys.survey_of_class(life.platform, move.held.id)
    if survey is None:
        raise NothingToDo
    for phone in life.phones:
        try:
            await surveying.answer(life.platform, survey, [phone])
        except Problem:
            continue


@act("institution")
async def release(life: Life, move: Move) -> None:
    await assessment.release(life.platform, move.actor, move.held.id)


@act("institution")
async def issue_certificates(life: Life, move: Move) -> None:
    await issue.issue_certificates(life.platform, move.actor, move.held.id)


@act("institution")
async def revoke_a_certificate(life: Life, move: Move) -> None:
    rows = await life.platform["certificates"].find({"class_id": move.held.id}).to_list(None)
    row = move.one_of(rows)
    wanted = Revocation(reason=WHY, typed=row["printed"]["number"])
    await revoking.revoke(life.platform, move.actor, row["_id"], wanted)
