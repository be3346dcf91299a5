"""The tallies of teachers' years, kept for the duties of article 8 and the review of article 9."""

from __future__ import annotations

from collections.abc import Sequence

from server.classes import service as classes
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.surveys import opening, rules, store
from server.surveys.documents import SatisfactionTally, Survey
from server.surveys.rules import Tally
from server.surveys.service import Results, of_teacher, results_of
from server.surveys.unsealing import unseal_due

TALLIED_AT_ONCE = 100


async def tally_closed(platform: Platform) -> int:
    """The scheduled work: unseals and reckons up each survey that has settled, once and in a transaction of its own; returns how many.

    One that stays below its smallest group is marked too and leaves no tally: it is never shown, and never asked again.
    """
    job = system("surveys")
    locked = await unseal_due(platform)
    closed_by = platform.clock.now() - rules.SETTLING
    done = 0
    while waiting := await store.untallied(platform, closed_by, TALLIED_AT_ONCE):
        taken = sum([await _tally(platform, job, survey_id) for survey_id in waiting])
        done += taken
        if not taken:  # another scheduler has them
            break
    if locked:  # the others are done; the run fails until somebody has brought the key
        raise locked[0]
    return done


@transactional
async def _tally(unit: UnitOfWork, survey_id: str) -> bool:
    taken = await store.take_for_tally(unit, survey_id, unit.now)
    if taken is None:
        unit.nothing_written()
        return False
    survey = await _in_its_year(unit, taken)
    responses = await store.count_respondents(unit, survey.id)
    results = await results_of(unit, survey, responses, unit.now)
    training_class = (await classes.classes_of(unit, [survey.class_id]))[survey.class_id]
    worked = await opening.who_worked(unit, training_class)
    seen = [one for one in survey.teacher_ids if one in worked]
    tallies = [_kept(survey, responses, results, one) for one in seen] if results else []
    if tallies:
        await store.insert_tallies(unit, tallies)
    unit.audit("surveys:tally", survey.id, class_id=survey.class_id, teachers=len(tallies))
    return True


async def _in_its_year(unit: UnitOfWork, survey: Survey) -> Survey:
    """The class may have been corrected to end in another year since its survey was set up."""
    year = (await classes.classes_of(unit, [survey.class_id]))[survey.class_id].ends_on.year
    if year != survey.year:
        await store.set_year(unit, survey.id, year)
    return survey.model_copy(update={"year": year})


def _kept(survey: Survey, responses: int, results: Results, teacher_id: str) -> SatisfactionTally:
    ones, twos, threes = of_teacher(results, teacher_id).counts
    return SatisfactionTally(
        teacher_id=teacher_id,
        survey_id=survey.id,
        class_id=survey.class_id,
        year=survey.year,
        ones=ones,
        twos=twos,
        threes=threes,
        responses=responses,
    )


async def tallies_of(
    scope: Scope, teacher_ids: Sequence[str], years: Sequence[int]
) -> dict[tuple[str, int], Tally]:
    """By teacher and calendar year, over the classes whose results may be shown; who has none in a year is left out.

    Each answer weighs the same. Read off an index; ask for some hundred teachers at a time.
    """
    return await store.tallies(scope, teacher_ids, years)
