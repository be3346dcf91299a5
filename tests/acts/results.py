"""Results, the survey and certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.attendance import work
from server.certificates.issue import Revocation
from server.forgeries import service as forgeries
from server.forgeries.documents import Forgery
from server.forgeries.rules import Outcome
from server.forgeries.service import Conclusion, Findings, ReferralDraft
from server.inspections import service as inspections
from server.inspections.documents import Inspection
from server.inspections.rules import Answer, Duty
from server.inspections.service import Beginning, Found, Passing, Record
from server.kernel.clock import beijing_date
from server.kernel.reviews import Return, Review
from server.reissues import revoking
from server.reopenings import service as reopenings
from server.reopenings.documents import Reopening
from server.reopenings.service import Asked
from server.surveys import service as surveys
from tests import assessing, certifying, reporting, stage, surveying
from tests.acts.walking import World, way_back
from tests.planning import HEBEI, XINGTAI
from tests.stage import ClassInSession

XINGTAI_CODE = "009"
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


@way_back(
    "certificates:issue",
    "certificates:revoke",
    keeps={"certificates", "files.files", "files.chunks", "ledger", "signing_authorities", "signing_keys"},
)
async def a_certificate(world: World) -> AsyncIterator[None]:
    held = await certifying.passed_class(world.platform, world.wechat, trainees=1)
    yield
    [paper] = await certifying.issued(world.platform, held)
    yield
    revoked = Revocation(reason="核发后发现身份证号有误。", typed=paper.printed.number)
    await revoking.revoke(world.platform, held.officer, paper.id, revoked)


async def checked(world: World) -> Inspection:
    """A yearly check that has found nothing amiss and is not concluded."""
    year = beijing_date(world.platform.clock.now()).year
    begun = await inspections.begin(world.platform, HEBEI, Beginning(institution=XINGTAI_CODE, year=year))
    items = [Found(duty=one, answer=Answer.GOOD) for one in Duty]
    return await inspections.record(world.platform, HEBEI, begun.id, Record(seen=1, items=items))


@way_back("inspections:begin", "inspections:drop", keeps={"inspections"})
async def a_check_that_is_begun(world: World) -> AsyncIterator[None]:
    yield
    found = await checked(world)
    yield
    wrong = Return(seen=len(found.history), reason="开错了机构，另行检查。")
    await inspections.drop(world.platform, HEBEI, found.id, wrong)


@way_back("inspections:pass", "inspections:reopen")
async def a_check_that_is_concluded(world: World) -> AsyncIterator[None]:
    found = await checked(world)
    yield
    found = await inspections.pass_(world.platform, HEBEI, found.id, Passing(seen=len(found.history)))
    yield
    again = Return(seen=len(found.history), reason="发现新的情况，需要重新检查。")
    await inspections.reopen(world.platform, HEBEI, found.id, again)


async def looked_into(world: World) -> Forgery:
    """A report that its issuer has answered."""
    found = await reporting.reported(world.platform, issuer="邢台技师学院")
    said = Findings(seen=1, reason="台账中没有这张证书，编号不是本机构的。")
    return await forgeries.answer(world.platform, XINGTAI, found.id, said)


async def concluded(world: World, found: Forgery) -> Forgery:
    said = Conclusion(seen=len(found.history), outcome=Outcome.CONFIRM, reason="经核对台账，系伪造。")
    return await forgeries.conclude(world.platform, HEBEI, found.id, said)


@way_back("forgeries:conclude", "forgeries:reopen")
async def a_conclusion_on_a_forgery(world: World) -> AsyncIterator[None]:
    found = await looked_into(world)
    yield
    found = await concluded(world, found)
    yield
    again = Return(seen=len(found.history), reason="出现新的材料，需要重新核实。")
    await forgeries.reopen(world.platform, HEBEI, found.id, again)


@way_back("forgeries:refer", "forgeries:unrefer")
async def a_forgery_that_was_handed_over(world: World) -> AsyncIterator[None]:
    found = await concluded(world, await looked_into(world))
    yield
    handed = ReferralDraft(
        seen=len(found.history),
        on=beijing_date(world.platform.clock.now()),
        authority="邢台市公安局",
        document_number="冀人社移〔2026〕3 号",
    )
    found = await forgeries.refer(world.platform, HEBEI, found.id, handed)
    yield
    wrong = Return(seen=len(found.history), reason="文号登记有误，重新登记。")
    await forgeries.unrefer(world.platform, HEBEI, found.id, wrong)
