"""开封: once a survey has settled, its envelopes are opened together, and the key that could open them is destroyed (decision 0001)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import orjson

from server.kernel import envelopes
from server.kernel.envelopes import BoxLocked
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.surveys import rules, store

log = logging.getLogger("platform.surveys")

JOB = system("surveys")
AT_ONCE = 100


async def unseal_due(platform: Platform) -> list[BoxLocked]:
    """Unseals each survey that has settled; returns why some could not be. Cut off anywhere, the next run goes on."""
    settled_by = platform.clock.now() - rules.SETTLING
    locked: list[BoxLocked] = []
    after = ""
    while waiting := await store.sealed(platform, settled_by, after, AT_ONCE):
        for survey_id, box_id in waiting:
            try:
                await _unseal(platform, JOB, survey_id)
            except BoxLocked as problem:
                log.exception("survey %s cannot be unsealed", survey_id)
                locked.append(problem)
                continue
            await envelopes.destroy_key(platform.settings, box_id)
            await _note_destroyed(platform, JOB, survey_id)
        after = waiting[-1][0]
    return locked


@transactional
async def _unseal(unit: UnitOfWork, survey_id: str) -> None:
    """Puts the answers where results are reckoned from. Of a group that is too small they are never read: they go as they are."""
    survey = await store.take_for_unsealing(unit, survey_id, unit.now)
    if survey is None or survey.box_id is None:
        unit.nothing_written()
        return

    async def put(contents: Sequence[bytes]) -> None:
        await store.insert_responses(unit, survey_id, [orjson.loads(one) for one in contents])

    if await store.count_respondents(unit, survey_id) >= survey.smallest_group:
        await envelopes.empty(unit, survey.box_id, put)
    else:
        await envelopes.throw_away(unit, survey.box_id)
    unit.audit("surveys:unseal", survey_id, class_id=survey.class_id)


@transactional
async def _note_destroyed(unit: UnitOfWork, survey_id: str) -> None:
    if await store.forget_box(unit, survey_id):
        unit.audit("surveys:destroy-key", survey_id)
    else:
        unit.nothing_written()
