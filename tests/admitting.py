"""Classes that are open for applications, teachers who apply, and those who review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from server.accounts.binding import RealName
from server.admissions import applying
from server.admissions import service as admissions
from server.admissions.applying import ApplicationDraft
from server.admissions.documents import Applicant
from server.admissions.service import EnrolmentDraft, Verdict
from server.applications import service as applications
from server.applications.service import Approval
from server.classes import service as classes
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, planning, stage
from tests.cast import Person
from tests.memory import remembered
from tests.stage import ClassInSession, Phone

APRIL: dict[str, Any] = {
    "name": "2026年4月三级教师培训班",
    "starts_on": datetime(2026, 4, 13, tzinfo=UTC).date(),
    "ends_on": datetime(2026, 4, 24, tzinfo=UTC).date(),
}
"""A class that begins four weeks after the noon of the tests."""
APPROVED = 100
AGREE = Verdict(agree=True)
ANSWERS = {"t1": "听过介绍", "t2": "学习任务分析与策划", "t3": "部分具备"}


def enrolment_draft(platform: Platform, **changes: Any) -> EnrolmentDraft:
    now = platform.clock.now()
    draft: dict[str, Any] = {
        "opens": now - timedelta(hours=1),
        "closes": now + timedelta(days=14),
        "places": 2,
        "reporting": "4月13日 8:00 至 9:00，实训楼一层报到处",
    }
    return EnrolmentDraft.model_validate(draft | changes)


@remembered
async def open_class(platform: Platform, wechat: Simulator, **changes: Any) -> ClassInSession:
    """An empty class of 邢台 in April with one teacher, open for applications; `changes` are those of enrolment_draft."""
    opened = await approved_class(platform, wechat)
    await admissions.open_enrolment(platform, opened.officer, opened.id, enrolment_draft(platform, **changes))
    return opened


@remembered
async def approved_class(platform: Platform, wechat: Simulator) -> ClassInSession:
    """A class of 邢台 in April that was planned and applied for, for up to APPROVED people, with one teacher and nobody else."""
    plan = await planning.approved(platform, [planning.item(places=APPROVED)])
    wanted = await planning.applied(platform, plan, places=APPROVED, **APRIL)
    seen = Approval(seen=len(wanted.history))
    class_id = (await applications.approve(platform, planning.HEBEI, wanted.id, seen)).class_id
    assert class_id is not None
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    officer = stage.actor(cast.XINGTAI_OFFICER)
    await stage.teach(platform, officer, class_id, teacher)
    return ClassInSession(await classes.get_class(platform, officer, class_id), officer, teacher, [])


async def made_by_an_application(platform: Platform, class_id: str) -> None:
    """As if a 开班申请 had made the class: 报到 comes before the first check-in."""
    await platform["classes"].update_one({"_id": class_id}, {"$set": {"application_id": "0" * 24}})


def draft_of(person: Person, **changes: Any) -> ApplicationDraft:
    draft: dict[str, Any] = {
        "work_unit": person.unit,
        "post": "讲师",
        "years_of_teaching": 8,
        "major_taught": "数控加工",
        "answers": ANSWERS,
        "real_name": RealName(name=person.name, id_number=person.id_number, consent_version="2026-11"),
    }
    return ApplicationDraft.model_validate(draft | changes)


async def apply(
    platform: Platform, wechat: Simulator, class_id: str, person: Person
) -> tuple[Phone, Applicant]:
    """A new phone whose person is on no roster, and the application; the phone speaks for that person afterwards."""
    openid = f"openid-{person.id_number[-8:]}"
    unbound = await stage.phone(platform, wechat, openid)
    applied, _ = await applying.apply(platform, unbound.actor, class_id, draft_of(person))
    return await stage.phone(platform, wechat, openid), applied


async def agree(platform: Platform, opened: ClassInSession, applied: Applicant) -> Applicant:
    """Both words: the institution's and the teacher's."""
    await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    return await admissions.review(platform, opened.teacher.actor, opened.id, applied.id, AGREE)


async def admit(
    platform: Platform, wechat: Simulator, opened: ClassInSession, people: Sequence[Person]
) -> list[Phone]:
    """Phones of people who applied and were admitted."""
    phones = []
    for person in people:
        phone, applied = await apply(platform, wechat, opened.id, person)
        await agree(platform, opened, applied)
        phones.append(phone)
    return phones


def clock_of(platform: Platform) -> FixedClock:
    assert isinstance(platform.clock, FixedClock)
    return platform.clock
