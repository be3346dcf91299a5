"""The selection of backbone teachers for the tests: recommendations, the 骨干 class of 常州, and who passed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from typing import Any

from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.service import ClassDraft
from server.institutions.rules import Level
from server.kernel.clock import BEIJING, FixedClock
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.selection import registration, training
from server.selection import service as selection
from server.selection.documents import Decision, Nominee, Passed, PassList, Registered
from server.selection.registration import DecisionDraft, Report
from server.selection.rules import ListState
from server.selection.service import NomineeDraft
from server.selection.training import EnrolDraft
from tests import cast, certifying, stage
from tests.assessing import PDF
from tests.cast import Person
from tests.memory import remembered

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
CHANGZHOU = stage.actor(cast.CHANGZHOU_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)

SERVED = cast.person(31, "邢台技师学院")
"""A teacher whom 河北 recommends."""


def nominee_draft(person: Person = SERVED, **changes: object) -> NomineeDraft:
    draft: dict[str, object] = {
        "name": person.name,
        "id_number": person.id_number,
        "work_unit": person.unit,
        "major": "01",
        "years_of_teaching": 12,
        "post": "高级讲师",
        "opinion": "师德良好，工学一体化课程教学经验丰富，同意推荐。",
    }
    return NomineeDraft.model_validate(draft | changes)


async def drafted(platform: Platform, person: Person = SERVED, actor: Actor = HEBEI) -> Nominee:
    """A draft with its form."""
    new = await selection.begin(platform, actor, nominee_draft(person))
    return await selection.add_paper(platform, actor, new.id, "推荐表.pdf", PDF)


@remembered
async def submitted(platform: Platform, person: Person = SERVED, actor: Actor = HEBEI) -> Nominee:
    return await selection.submit(platform, actor, (await drafted(platform, person, actor)).id)


@remembered
async def accepted(platform: Platform, person: Person = SERVED, actor: Actor = HEBEI) -> Nominee:
    found = await submitted(platform, person, actor)
    return await selection.accept(platform, CENTRE, found.id, Review(seen=len(found.history)))


async def backbone_class(
    platform: Platform, actor: Actor, *, places: int | None = None, **changes: object
) -> TrainingClass:
    """A 骨干 class of the actor's institution, which has not begun."""
    usual: dict[str, object] = {
        "name": "2026年骨干教师培训班",
        "level": Level.BACKBONE,
        "courses": ["工学一体化课程开发"],
        "starts_on": date(2026, 3, 23),
        "ends_on": date(2026, 4, 3),
    }
    return await _make(platform, actor, stage.class_draft(**(usual | changes)), places)


@transactional
async def _make(unit: UnitOfWork, draft: ClassDraft, places: int | None) -> TrainingClass:
    code = unit.actor.institution_code or ""
    return await classes.make_class(unit, draft, institution_code=code, places=places)


async def enrolled(
    platform: Platform, held: TrainingClass, nominees: Sequence[Nominee], actor: Actor = CHANGZHOU
) -> None:
    draft = EnrolDraft(class_id=held.id, nominee_ids=[one.id for one in nominees])
    await training.enrol(platform, actor, draft)


async def certified(platform: Platform, held: TrainingClass, *, failed: Collection[str] = ()) -> None:
    """The class is on its last day, everybody has passed but `failed` (person ids), and holds the certificate."""
    clock = platform.clock
    assert isinstance(clock, FixedClock)
    clock.set(datetime.combine(held.ends_on, time(12), BEIJING))
    await certifying.release(platform, held.id, failed=failed)
    await certifying.issue_signed(platform, CHANGZHOU, held.id)


async def reported(platform: Platform, held: TrainingClass) -> PassList:
    return await registration.report(platform, CHANGZHOU, held.id, Report())


async def registered(platform: Platform, reported: PassList, number: str = "部指〔2026〕1号") -> Decision:
    clock = platform.clock
    draft = DecisionDraft(
        number=number, decided_on=clock.now().astimezone(BEIJING).date(), seen=len(reported.history)
    )
    return await registration.register(platform, CENTRE, reported.id, draft)


async def through(platform: Platform, people: Sequence[Person]) -> tuple[TrainingClass, PassList]:
    """From the recommendation of these teachers of 河北 to the list of those who passed: everybody."""
    nominees = [await accepted(platform, one) for one in people]
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, nominees)
    await certified(platform, held)
    return held, await reported(platform, held)


def an_earlier_list(held: TrainingClass, now: datetime) -> tuple[PassList, Decision]:
    """A registered list of a class with one teacher, and its decision, as they are stored."""
    line = {
        "person_id": "f" * 24,
        "name": "往试甲",
        "id_number_masked": "130***********1234",
        "province_code": cast.HEBEI,
        "work_unit": "示例市技师学院",
        "certificate_number": "32017202601G001",
        "nominee_id": None,
    }
    facts: dict[str, Any] = {
        "class_name": held.name,
        "institution_name": held.institution_name,
        "major": held.major,
        "training_from": held.starts_on,
        "training_to": held.ends_on,
    }
    decision = Decision(
        **facts,
        number="部指〔2026〕99号",
        decided_on=held.starts_on,
        list_id="e" * 24,
        registered=[Registered.model_validate(line)],
        made_at=now,
        made_by="部试甲",
    )
    passed = PassList(
        **facts,
        id=decision.list_id,
        class_id=held.id,
        institution_code=held.institution_code,
        province_code=held.province_code,
        passed=[Passed.model_validate(line)],
        note="",
        state=ListState.REGISTERED,
        open=False,
        submitted_at=now,
        decision_id=decision.id,
        history=[],
    )
    return passed, decision
