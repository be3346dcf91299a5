"""Classes whose results are released, for the tests of certificates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta

from server.assessment import store as assessment_store
from server.assessment.documents import Result, ResultPolicy
from server.certificates import issue, signing
from server.certificates.documents import Certificate
from server.classes import service as classes
from server.classes import store as classes_store
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.reissues import revoking
from server.reissues.revoking import Decision, Proposal
from server.wechat.simulator import Simulator
from tests import stage
from tests.memory import remembered
from tests.stage import ClassInSession
from tests.surveying import clock_of, past_survey


async def release(platform: Platform, class_id: str, *, failed: Collection[str] = ()) -> None:
    """Freezes results as assessment would, of a class that was held before, in its days; everybody passed but `failed` (person ids)."""
    now = platform.clock.now()
    enrolled = await classes.trainees(platform, class_id)
    training_class = (await classes.classes_of(platform, [class_id]))[class_id]
    days = len(stage.HELD_HOURS)
    first_day = min(
        beijing_date(now) - timedelta(days=days + 1), training_class.ends_on - timedelta(days=days - 1)
    )
    if training_class.starts_on > training_class.ends_on - timedelta(
        days=days - 1
    ):  # too short for its hours
        earlier = {"starts_on": first_day.isoformat()}
        await platform["classes"].update_one({"_id": class_id}, {"$set": earlier})
    await stage.hold(platform, training_class, [one.person_id for one in enrolled], first_day)
    results = [
        Result(
            class_id=class_id,
            institution_code=one.institution_code,
            province_code=one.province_code,
            person_id=one.person_id,
            name=one.name,
            id_number_masked=one.id_number_masked,
            work_unit=one.work_unit,
            marks=[],
            formative_tenths=900,
            summative_tenths=900,
            total_tenths=300 if one.person_id in failed else 900,
            hours_attended=80,
            hours_total=80,
            attendance_ok=True,
            passed=one.person_id not in failed,
            reason="总评低于合格线" if one.person_id in failed else "",
            policy=ResultPolicy(formative_weight=40, pass_mark=60, attendance_needed=90),
            released_at=now,
            released_by="考试员",
        )
        for one in enrolled
    ]
    await assessment_store.insert_results(platform, results)
    await classes_store.set_results_released(platform, class_id, now)
    await past_survey(platform, class_id)


def on_last_day(opened: ClassInSession) -> datetime:
    """Noon in Beijing of the day from which on certificates may be issued."""
    return datetime.combine(opened.training_class.ends_on, time(12), BEIJING)


@remembered
async def passed_class(platform: Platform, wechat: Simulator, trainees: int = 2) -> ClassInSession:
    """A class of 邢台 in which everybody passed, on its last day."""
    opened = await stage.class_in_session(platform, wechat, trainees=trainees)
    clock_of(platform).set(on_last_day(opened))
    await release(platform, opened.id)
    return opened


async def issue_signed(platform: Platform, officer: Actor, class_id: str) -> int:
    """What an institution does and what the scheduled work makes of it; how many."""
    count = await issue.issue_certificates(platform, officer, class_id)
    await signing.sign_waiting(platform)
    return count


@remembered
async def issued(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    """Issues, and has them signed; the certificates in the order of the roster."""
    await issue_signed(platform, opened.officer, opened.id)
    return await certificates_of(platform, opened.officer, opened.id)


async def certificates_of(platform: Platform, officer: Actor, class_id: str) -> list[Certificate]:
    seen = await issue.class_certificates(platform, officer, class_id)
    return [one.certificate for one in seen.candidates if one.certificate is not None]


async def revoked(platform: Platform, officer: Actor, certificate: Certificate, reason: str) -> None:
    """On whatever day: proposed, agreed to by its holder, and decided."""
    heard = await revoking.propose(platform, officer, certificate.id, Proposal(reason=reason))
    await platform["reissues"].update_one({"_id": heard.id}, {"$set": {"agrees": True}})
    wanted = Decision(typed=certificate.printed.number, seen=1)
    await revoking.decide(platform, officer, heard.id, wanted)


async def signed(platform: Platform) -> None:
    """What waits to be signed is."""
    await signing.sign_waiting(platform)
