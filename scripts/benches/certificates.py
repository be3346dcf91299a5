"""What a batch of certificates costs: issuing and drawing those of a class, against the bare limit of MongoDB and of Typst.

    issue   the use case whole: qualification, results, survey, codes of article 17, snapshot, audit entry, messages, one transaction
    insert  one `insert_many` of the same rows into a collection with the same indexes, at the same durability
    draw    sheets as a class's zip gets them: decrypt the number, queue for the press, draw, pack
    typst   the same template compiled in a loop by Typst alone, its inputs made beforehand

Rounds alternate, each on a class of its own. Run it with `scripts/bench certificates`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import typst

from scripts.benches import report
from server.__main__ import open_platform
from server.accounts import people
from server.accounts.fictional import make_person
from server.accounts.people import Identity
from server.accounts.rules import Evidence
from server.assessment import store as assessment_store
from server.assessment.documents import Result, ResultPolicy
from server.certificates import issue, render
from server.certificates import service as certificates
from server.certificates.documents import Certificate
from server.certificates.press import verify_url
from server.certificates.store import COLLECTIONS
from server.classes import store as classes_store
from server.classes.documents import Enrolment, TrainingClass
from server.institutions.rules import Level
from server.kernel.clock import SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.identity import Actor, Jurisdiction, Role
from server.kernel.mongo import new_id
from server.kernel.paper import FONT_FOLDERS
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.settings import Settings

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
    await classes_store.insert_enrolments(
        unit, [Enrolment.model_validate(one | in_class | enrolled) for one in person_fields]
    )
    await assessment_store.insert_results(
        unit,
        [Result.model_validate(one | in_class | passed | attended | released) for one in person_fields],
    )
    unit.audit("bench:set-up", new.id)
    return new.id


async def make_insert_target(platform: Platform) -> None:
    [spec] = [spec for spec in COLLECTIONS if spec.name == "certificates"]
    await platform["bare_certificates"].create_indexes([index.model() for index in spec.indexes])


# ---- the four


async def copied_rows(platform: Platform, class_id: str) -> list[dict[str, Any]]:
    """What issuing has just written, under ids of their own."""
    rows = await platform["certificates"].find({"class_id": class_id}).to_list(None)
    return [row | {"_id": new_id()} for row in rows]


async def typst_inputs(platform: Platform, some: Sequence[Certificate]) -> list[dict[str, str]]:
    numbers = await platform.vault.decrypt([one.printed.id_number for one in some])
    renderer = render.CertificateRenderer()
    return [
        renderer._of([render.Sheet(one.printed.opened(number), verify_url(platform, one.token))])[1]
        for one, number in zip(some, numbers, strict=True)
    ]


def bare_compiler() -> typst.Compiler:
    folders = [str(folder) for folder in FONT_FOLDERS if folder.is_dir()]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    return typst.Compiler(font_paths=fonts, ignore_system_fonts=True)


async def draw(platform: Platform, some: Sequence[Certificate]) -> int:
    """Bytes of the zip."""
    return sum([len(chunk) async for chunk in certificates._zipped(platform, some)])


# ---- the run


async def run(options: argparse.Namespace, folder: Path, uri: str) -> None:
    settings = Settings(mongodb_uri=uri, mongodb_database="bench", data_dir=folder).with_secrets()
    platform = await open_platform(settings, SystemClock())
    await make_insert_target(platform)
    made = [make_person(number) for number in range(options.size)]
    sealed = await people.seal(platform, [Identity(one.name, one.id_number) for one in made])
    figures = {name: Figures() for name in ("issue", "insert", "draw", "typst")}
    compiler, template = bare_compiler(), render._SHEET_2
    for month in range(options.rounds + 1):
        class_id = await passed_class(platform, OFFICER, month, sealed)
        round_ = {name: Figures() for name in figures}

        began = time.perf_counter()
        issued = await issue.issue_certificates(platform, OFFICER, class_id)
        round_["issue"].add(issued, began)

        rows = await copied_rows(platform, class_id)
        began = time.perf_counter()
        await platform["bare_certificates"].insert_many(rows)
        round_["insert"].add(len(rows), began)

        of_class = [Certificate.from_mongo(row) for row in rows]
        ours, theirs = of_class[: options.sheets], of_class[-options.sheets :]
        began = time.perf_counter()
        await draw(platform, ours)
        round_["draw"].add(len(ours), began)

        inputs = await typst_inputs(platform, theirs)
        began = time.perf_counter()
        for one in inputs:
            compiler.compile(template, format="pdf", sys_inputs=one, pdf_standards=render._STANDARDS)
        round_["typst"].add(len(inputs), began)

        if month:  # the first round warms up
            for name, found in round_.items():
                figures[name].rates += found.rates
    rows_shown = [
        (name, f"{found.median:.0f}", f"{1000 / found.median:.2f}") for name, found in figures.items()
    ]
    ratios = {
        "issue / insert": ratio(figures["issue"], figures["insert"]),
        "draw / typst": ratio(figures["draw"], figures["typst"]),
        "batch / limit": _batch(figures, "issue", "draw") / _batch(figures, "insert", "typst"),
    }
    report("certificates", ("", "certificates/s", "ms each"), rows_shown, ratios)
    platform.limiter.close()
    platform.vault.close()
    platform.db.client.close()


def _batch(figures: dict[str, Figures], write: str, print_: str) -> float:
    """Certificates a second when each is written and drawn."""
    return 1 / (1 / figures[write].median + 1 / figures[print_].median)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench certificates", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=200, help="trainees of a class")
    parser.add_argument("--sheets", type=int, default=40, help="sheets drawn in a round")
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
