"""Results, the survey and certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.attendance import work
from server.certificates import issue
from server.certificates.issue import Revocation
from server.kernel.reviews import Review
from server.reopenings import service as reopenings
from server.reopenings.documents import Reopening
from server.reopenings.service import Asked
from server.surveys import service as surveys
from tests import assessing, certifying, stage, surveying
from tests.acts.walking import World, way_back
from tests.planning import HEBEI
from tests.stage import ClassInSession

WHY = Asked(reason="漏计一次补签，需要重新核定。")


async def assessed(world: World) -> ClassInSession:
    """A class that was held, whose people are graded."""
    held = await stage.class_in_session(world.platform, world.wechat)
    await assessing.assess_everybody(world.platform, held)
    return held


async def asked(world: World, held: ClassInSession) -> Reopening:
    return await reopenings.request(world.platform, held.officer, held.id, WHY)


@way_back("assessment:release", "assessment:reopen", keeps={"earlier_results", "reopenings"})
async def a_release(world: World) -> AsyncIterator[None]:
    held = await assessed(world)
    await work.reconcile(world.platform)  # as every night; a release says the same
    yield
    await assessing.release(world.platform, held)
    yield
    found = await asked(world, held)
    await reopenings.approve(world.platform, HEBEI, found.id, Review(seen=len(found.history)))


@way_back("reopenings:request", "reopenings:retract", keeps={"reopenings"})
async def a_request_to_open_results(world: World) -> AsyncIterator[None]:
    held = await assessed(world)
    await assessing.release(world.platform, held)
    yield
    found = await asked(world, held)
    yield
    await reopenings.retract(world.platform, held.officer, found.id)


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
    revoked = Revocation(reason="核发后发现身份证号有误。", typed=paper.printed.number)
    await issue.revoke_certificate(world.platform, held.officer, paper.id, revoked)
