"""Results, the survey and certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.certificates import issue
from server.certificates.issue import Revocation
from server.surveys import service as surveys
from tests import certifying, stage, surveying
from tests.acts.walking import World, way_back


@way_back("surveys:move-closing", "surveys:move-closing")
async def the_end_of_a_survey(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    survey = await surveying.open_survey(world.platform, held)
    later = survey.closes_at + timedelta(days=2)
    yield
    await surveys.move_closing(world.platform, held.officer, held.id, later)
    yield
    await surveys.move_closing(world.platform, held.officer, held.id, survey.closes_at)


@way_back("certificates:issue", "certificates:revoke", keeps={"certificates"})
async def a_certificate(world: World) -> AsyncIterator[None]:
    held = await certifying.passed_class(world.platform, world.wechat, trainees=1)
    yield
    [paper] = await certifying.issued(world.platform, held)
    yield
    revoked = Revocation(reason="核发后发现身份证号有误。")
    await issue.revoke_certificate(world.platform, held.officer, paper.id, revoked)
