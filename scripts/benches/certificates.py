"""What a batch of certificates costs: their numbers, and drawing, signing and storing them.

    numbers     the use case whole: qualification, results, survey, codes of article 17, rows, audit entry, one transaction
    stored      drawn, signed, stored and made valid by the scheduled work, in as many worker processes as there are cores
    one worker  drawn and signed in one worker process; all workers: the same in all of them
    ours        drawn and signed in this process (P-256, PDF/A, tagged, certified), one core
    documented  the same words by reportlab, signed by pyHanko's SimpleSigner as its documentation shows it (RSA-2048), one core
    key kept    the same, but that the signer keeps the key that it has loaded

Rounds alternate, each on a class of its own; 4 rounds of 250 are 1,000 certificates. Run it with `scripts/bench certificates`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

from pyhanko.sign.signers import SimpleSigner

from scripts.benches import report
from scripts.benches.certificates_reportlab import KeptKey, register_font, signer
from scripts.benches.certificates_reportlab import made as made_by_reportlab
from server.__main__ import open_platform
from server.accounts import people
from server.accounts.fictional import make_person
from server.accounts.people import Identity
from server.accounts.rules import Evidence
from server.assessment import store as assessment_store
from server.assessment.documents import Result, ResultPolicy
from server.attendance import rules as attendance_rules
from server.attendance import store as attendance_store
from server.attendance.documents import CheckIn, Source, TeachingSession
from server.certificates import issue, signing, store
from server.certificates import service as certificates
from server.certificates.documents import Certificate
from server.certificates.sheets import sheets_of
from server.certificates.workshop import Order, Workshop, make, workers_of, workshop
from server.classes import store as classes_store
from server.classes.documents import Enrolment, TrainingClass
from server.institutions.rules import Level
from server.kernel.clock import SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.identity import Actor, Jurisdiction, Role
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.seals import service as seals
from server.settings import Settings
from server.surveys.documents import Survey

LOOKED_FOR_EVERY = 1.0
"""Seconds, as server/jobs.py has it."""
CODES = {"institution_code": "009", "province_code": "13"}
OFFICER = Actor(
    "bench",
    "测试员",
    "account",
    frozenset({Role.TRAINING_BASE}),
    Jurisdiction.of_institution("009"),
    province_code="13",
    institution_code="009",
)


@dataclass
class Figures:
    """Certificates a second in each round."""

    rates: list[float] = field(default_factory=list)

    def add(self, count: int, began: float) -> None:
        self.rates.append(count / (time.perf_counter() - began))

    @property
    def median(self) -> float:
        return statistics.median(self.rates)


def ratio(one: Figures, other: Figures) -> float:
    """The median over the rounds, each against its neighbour."""
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


# ---- the stage


@transactional
async def passed_class(unit: UnitOfWork, month: int, sealed: Sequence[people.SealedIdentity]) -> str:
    """A class in which everybody passed, written past the services. Each has a month of its own, for 999 numbers are all a month has."""
    new = TrainingClass(
        **CODES,
        institution_name="邢台技师学院",
        name=f"第{month}期三级教师培训班",
        level=Level.THREE,
        major="01",
        courses=["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"],
        class_hours=80,
        starts_on=date(2024 + month // 12, month % 12 + 1, 6),
        ends_on=date(2024 + month // 12, month % 12 + 1, 20),
        place="实训楼",
        opened_at=unit.now,
        results_released_at=unit.now,
    )
    persons = await people.ensure(unit, sealed, Evidence.ROSTER_MATCHED)
    person_fields = [
        {"person_id": one.id, "name": one.name, "id_number_masked": one.id_number_masked} for one in persons
    ]
    in_class = {"class_id": new.id, "work_unit": "示例市技师学院", **CODES}
    policy = ResultPolicy(formative_weight=40, pass_mark=60, attendance_needed=90)
    passed = {
        "formative_tenths": 900,
        "summative_tenths": 900,
        "total_tenths": 900,
        "passed": True,
        "reason": "",
    }
    attended = {"hours_attended": 80, "hours_total": 80, "attendance_ok": True}
    enrolled = {"post": "讲师", "major_taught": "数控加工", "enrolled_at": unit.now}
    released = {"marks": [], "policy": policy, "released_at": unit.now, "released_by": "测试员"}
    await classes_store.insert_class(unit, new)
    sessions = [_session(new, day) for day in (new.starts_on, new.ends_on)]
    await attendance_store.insert_sessions(unit, sessions)
    there = [_check_in(session, one.id).to_mongo() for session in sessions for one in persons]
    await unit["check_ins"].insert_many(there, session=unit.session)
    await unit["surveys"].insert_one(_survey(new, unit.now).to_mongo(), session=unit.session)
    await classes_store.insert_enrolments(
        unit, [Enrolment.model_validate(one | in_class | enrolled) for one in person_fields]
    )
    await assessment_store.insert_results(
        unit,
        [Result.model_validate(one | in_class | passed | attended | released) for one in person_fields],
    )
    unit.audit("bench:set-up", new.id)
    return new.id


def _session(of: TrainingClass, day: date) -> TeachingSession:
    begins = attendance_rules.at(day, clock(8))
    return TeachingSession(
        **CODES,
        class_id=of.id,
        title="全天",
        course=of.courses[0],
        place=of.place,
        hours=of.class_hours // 2,
        code_step_seconds=5,
        code_grace_seconds=2,
        created_at=of.opened_at,
        **vars(attendance_rules.usual_times(begins, begins + timedelta(hours=9))),
    )


def _check_in(session: TeachingSession, person_id: str) -> CheckIn:
    return CheckIn(
        session_id=session.id,
        class_id=session.class_id,
        person_id=person_id,
        status=attendance_rules.Status.PRESENT,
        source=Source.CODE,
        checked_in_at=session.starts_at,
    )


def _survey(of: TrainingClass, now: datetime) -> Survey:
    """That is over."""
    return Survey(
        **CODES,
        class_id=of.id,
        class_name=of.name,
        year=of.ends_on.year,
        teacher_ids=[],
        questions=[],
        opens_at=now - timedelta(days=4),
        closes_at=now - timedelta(hours=1),
        smallest_group=5,
        created_at=now - timedelta(days=4),
        created_by="测试员",
    )


# ---- the parts


async def orders_of(platform: Platform, some: Sequence[Certificate]) -> list[Order]:
    material = await seals.material(platform, CODES["institution_code"])
    return [Order(sheet, material) for sheet in await sheets_of(platform, some)]


def by_reportlab(orders: Sequence[Order], by: SimpleSigner) -> None:
    for order in orders:
        made_by_reportlab(order.sheet, by)


async def in_workers(shop: Workshop, orders: Sequence[Order]) -> None:
    hands = asyncio.Semaphore(shop.at_once)

    async def one(order: Order) -> None:
        async with hands:
            await shop.make(order)

    await asyncio.gather(*map(one, orders))


def memory_of(shop: Workshop) -> int:
    """Bytes that its processes have for themselves."""
    return sum(
        int(line.split()[1]) * 1024
        for process in shop.processes
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        if line.startswith(("Private_Dirty:", "Private_Clean:"))
    )


async def class_for_the_printer(
    platform: Platform, month: int, sealed: Sequence[people.SealedIdentity]
) -> float:
    """Seconds from the click to the PDF that is printed, of a class of 30."""
    class_id = await passed_class(platform, OFFICER, month, sealed[:30])
    began = time.perf_counter()
    await issue.issue_certificates(platform, OFFICER, class_id)
    await asyncio.sleep(LOOKED_FOR_EVERY)  # at most, until the scheduler sees them
    await signing.sign_waiting(platform)
    book = await certificates.class_book(platform, OFFICER, class_id)
    assert sum([len(chunk) async for chunk in book.content])
    return time.perf_counter() - began


# ---- the run


async def run(options: argparse.Namespace, folder: Path, uri: str) -> None:
    settings = Settings(mongodb_uri=uri, mongodb_database="bench", data_dir=folder).with_secrets()
    platform = await open_platform(settings, SystemClock())
    made = [make_person(number) for number in range(max(30, options.size))]
    sealed = await people.seal(platform, [Identity(one.name, one.id_number) for one in made])
    register_font()
    documented, key_kept = signer(SimpleSigner), signer(KeptKey)
    every, single = workshop(platform), Workshop(1)
    names = ("numbers", "stored", "one worker", "all workers", "ours", "documented", "key kept")
    figures = {name: Figures() for name in names}
    memory = []
    for month in range(options.rounds + 1):
        round_ = {name: Figures() for name in figures}
        class_id = await passed_class(platform, OFFICER, month, sealed[: options.size])

        began = time.perf_counter()
        round_["numbers"].add(await issue.issue_certificates(platform, OFFICER, class_id), began)

        began = time.perf_counter()
        round_["stored"].add((await signing.sign_waiting(platform))["制成证书"], began)
        memory.append(memory_of(every))

        of_class = list((await store.of_class(platform, class_id)).values())
        orders = await orders_of(platform, of_class[: options.sheets])
        for name, shop in (("one worker", single), ("all workers", every)):
            began = time.perf_counter()
            await in_workers(shop, orders)
            round_[name].add(len(orders), began)

        began = time.perf_counter()
        await asyncio.to_thread(lambda some: [*map(make, some)], orders)
        round_["ours"].add(len(orders), began)
        for name, by in (("documented", documented), ("key kept", key_kept)):
            began = time.perf_counter()
            await asyncio.to_thread(by_reportlab, orders, by)
            round_[name].add(len(orders), began)

        if month:  # the first round warms up
            for name, found in round_.items():
                figures[name].rates += found.rates
    seconds = await class_for_the_printer(platform, options.rounds + 1, sealed)
    rows_shown = [
        (name, f"{found.median:.0f}", f"{1000 / found.median:.2f}") for name, found in figures.items()
    ]
    ratios = {
        "ours / documented": ratio(figures["ours"], figures["documented"]),
        "ours / key kept": ratio(figures["ours"], figures["key kept"]),
        "scaling / cores": ratio(figures["all workers"], figures["one worker"]) / workers_of(settings),
        "3 s / class of 30 for the printer": 3 / seconds,
        "memory after the first round / at the end": memory[0] / memory[-1],
    }
    report("certificates", ("", "certificates/s", "ms each"), rows_shown, ratios)
    every.end()
    single.end()
    platform.limiter.close()
    platform.vault.close()
    platform.db.client.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench certificates", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--size", type=int, default=250, help="trainees of a class")
    parser.add_argument(
        "--sheets", type=int, default=40, help="sheets that the parts are measured on in a round"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as name:
        mongod = EmbeddedMongod(Path(name))
        uri = mongod.start()
        try:
            asyncio.run(run(options, Path(name), uri))
        finally:
            mongod.stop()


if __name__ == "__main__":
    main()
