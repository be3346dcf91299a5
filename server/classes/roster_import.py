"""The roster that an institution uploads: read, shown with what is wrong, confirmed whole or not at all (article 4.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from server.accounts import people
from server.accounts.proofs import Voucher
from server.accounts.rules import Evidence
from server.classes import enrolment, roster, roster_store, service, store
from server.classes.documents import (
    Enrolment,
    RosterImport,
    RosterState,
    StoredRosterRow,
    StoredRowProblem,
    TrainingClass,
)
from server.classes.roster import Column
from server.kernel import hostile, policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, NotFound
from server.kernel.folding import same
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.spreadsheets import XLSX
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

PREVIEW_LIFE = timedelta(days=1)

hostile.reads_here(roster.__name__)


class RosterHasProblems(Conflict):
    slug = "roster-has-problems"
    title = "名册还有问题"
    default_detail = "名册中有问题行，整份名册未导入。请在表格中改正后重新上传。"


class RosterClosed(Conflict):
    slug = "roster-closed"
    title = "名册已定"
    default_detail = "本班成绩已公布，名册不能再增加学员。"


async def preview_roster(
    platform: Platform, actor: Actor, class_id: str, file_name: str, content: bytes
) -> RosterImport:
    """Reads an xlsx roster and keeps what it found for a day; nothing is imported.

    Raises RosterUnreadable when the file as a whole cannot be read, RosterClosed, ClassEnded, ClassOver.
    """
    training_class = await service.get_class(platform, actor, class_id)
    service.require_not_ended(training_class)
    if training_class.frozen:
        raise RosterClosed()
    now = platform.clock.now()
    enrolment.require_not_over(training_class, beijing_date(now))
    in_force = await policies.on(platform, beijing_date(now))
    read = await hostile.read_apart(
        platform,
        hostile.whose(actor),
        partial(roster.read_roster, content, today=beijing_date(now), rows_most=in_force.roster_rows),
    )
    identities = [people.Identity(row.name, row.id_number, row.phone) for row in read.rows]
    sealed = await people.seal(platform, identities)
    problems = [
        StoredRowProblem(row=p.row, letters=p.letters, column=p.column.title, name=p.name, message=p.message)
        for p in read.problems
    ]
    problems += await _known_problems(platform, training_class, read, sealed)
    preview = RosterImport(
        class_id=class_id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        file_name=file_name[:200],
        state=RosterState.PREVIEW,
        skipped=[f"第 {line.row} 行：{line.text}" for line in read.skipped],
        rows=[
            StoredRosterRow(
                row=row.row,
                name=one.name,
                id_number=one.id_number,
                id_number_masked=one.id_number_masked,
                phone=one.phone,
                work_unit=row.work_unit,
                post=row.post,
                major_taught=row.major,
            )
            for row, one in zip(read.rows, sealed, strict=True)
        ],
        problems=sorted(problems, key=lambda problem: problem.row),
        created_at=now,
        created_by=actor.name,
        expires_at=platform.machine.now() + PREVIEW_LIFE,
    )
    await _keep_preview(platform, actor, preview)
    return preview


@transactional
async def _keep_preview(unit: UnitOfWork, preview: RosterImport) -> None:
    await roster_store.insert_roster_import(unit, preview)
    unit.audit(
        "classes:preview-roster", preview.class_id, rows=len(preview.rows), problems=len(preview.problems)
    )


async def _known_problems(
    scope: Scope,
    training_class: TrainingClass,
    read: roster.RosterPreview,
    sealed: Sequence[people.SealedIdentity],
) -> list[StoredRowProblem]:
    """What only the database can tell of a row: in the class already or in another one then, or known under another name."""
    known = await people.known(scope, sealed)
    listed = {one.person_id: one for one in await store.enrolments_ever(scope, training_class.id)}
    clashing = await enrolment.overlapping_classes(
        scope, training_class, [person.id for person in known.values()]
    )
    problems = []
    for row, one in zip(read.rows, sealed, strict=True):
        person = known.get(one.id_number)
        if person is None:
            continue
        if not same(person.name, one.name):
            column = Column.NAME
            message = f"证件号 {one.id_number_masked} 已登记为其他姓名，请核对姓名和证件号。"
        elif person.id in listed:
            column = Column.ID_NUMBER
            left_on = listed[person.id].left_on
            message = (
                f"{one.name}（{one.id_number_masked}）已于 {left_on} 从本班退训，请从表格中删去这一行，需要时在名册页撤销退训。"
                if left_on
                else f"{one.name}（{one.id_number_masked}）已在本班名册中，请从表格中删去这一行。"
            )
        elif other := clashing.get(person.id):
            column = Column.ID_NUMBER
            message = f"{one.name}（{one.id_number_masked}）{enrolment.clash_words(training_class, other)}。"
        else:
            continue
        problems.append(
            StoredRowProblem(
                row=row.row, letters=read.letters[column], column=column.title, name=one.name, message=message
            )
        )
    return problems


async def roster_preview(platform: Platform, actor: Actor, class_id: str, import_id: str) -> RosterImport:
    """An uploaded roster of a class in the actor's jurisdiction. Raises NotFound, also when it has expired."""
    found = await roster_store.roster_import(platform, actor.jurisdiction, import_id)
    if found is None or found.class_id != class_id:
        raise NotFound(_NO_PREVIEW)
    return found


_NO_PREVIEW = "没有这份名册预览，或已超过一天失效。请重新上传。"


async def roster_template(platform: Platform, actor: Actor, class_id: str) -> Download:
    """The workbook to fill in for a class in the actor's jurisdiction, for as many people as the policy of today allows."""
    training_class = await service.get_class(platform, actor, class_id)
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    content = await asyncio.to_thread(roster.roster_template, in_force.roster_rows)
    return Download.of(f"名册模板-{training_class.name}.xlsx", XLSX, content)


@transactional
async def confirm_roster(unit: UnitOfWork, import_id: str) -> RosterImport:
    """Imports a previewed roster, all or nothing, and tells everybody on it; confirmed again, it answers the same.

    Raises RosterHasProblems when a row had a problem or has one by now, NameDiffers, DatesClash, NoPlaceLeft, RosterClosed, ClassOver.
    """
    preview = await roster_store.roster_import(unit, unit.actor.jurisdiction, import_id)
    if preview is None:
        raise NotFound(_NO_PREVIEW)
    if preview.state is RosterState.CONFIRMED:
        unit.nothing_written()
        return preview
    if preview.problems or not preview.rows:
        raise RosterHasProblems()
    training_class = await service.get_class(unit, unit.actor, preview.class_id)
    await service.exclude_release(unit, training_class, RosterClosed)
    enrolment.require_not_over(training_class, beijing_date(unit.now))
    sealed = [
        people.SealedIdentity(row.name, row.id_number, row.id_number_masked, row.phone)
        for row in preview.rows
    ]
    enrolled = {one.person_id for one in await store.enrolments(unit, preview.class_id)}
    voucher = Voucher.institution(training_class.institution_code)
    persons = await people.ensure(unit, sealed, Evidence.ROSTER_MATCHED, voucher)
    if enrolled & {person.id for person in persons}:
        raise RosterHasProblems("名册中有人已被他人加入本班，请重新上传核对。")
    await enrolment.enrol(
        unit,
        training_class,
        [
            Enrolment(
                class_id=preview.class_id,
                institution_code=preview.institution_code,
                province_code=preview.province_code,
                person_id=person.id,
                name=person.name,
                id_number_masked=person.id_number_masked,
                work_unit=row.work_unit,
                post=row.post,
                major_taught=row.major_taught,
                enrolled_at=unit.now,
                arrival_required=training_class.arrival_required,
            )
            for row, person in zip(preview.rows, persons, strict=True)
        ],
    )
    await roster_store.confirm_roster_import(unit, import_id, unit.now)
    unit.audit("classes:confirm-roster", preview.class_id, roster=import_id, trainees=len(persons))
    return preview
