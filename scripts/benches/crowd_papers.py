"""The papers of a crowd (crowd.py): plans, applications and whatever is asked for and decided, each as its model writes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.benches.crowd_made import MAJORS, Crowd, found, masked, name_of
from server.accounts.documents import Account
from server.accounts.proofs import Authority
from server.applications.documents import Application, Venue
from server.applications.rules import State as ApplicationState
from server.backbone.documents import PoolMember
from server.backbone.rules import Proof, YearFigures, marks
from server.corrections.documents import Correction
from server.corrections.rules import State as CorrectionState
from server.corrections.rules import Subject
from server.identities.documents import ReleaseRequest
from server.identities.rules import State as ReleaseState
from server.institutions.documents import BaseRequest
from server.institutions.rules import RequestPurpose, RequestState
from server.interruptions.documents import ClassChange
from server.interruptions.rules import Ground
from server.interruptions.rules import Kind as ChangeKind
from server.interruptions.rules import State as ChangeState
from server.kernel.grams import grams
from server.kernel.identity import Role
from server.kernel.mongo import Document, Row
from server.kernel.outbox_state import State as MessageState
from server.plans.documents import Plan
from server.plans.rules import PlanItem
from server.plans.rules import State as PlanState
from server.qualification.documents import Case, EarlyWarning
from server.qualification.rules import Grade, Rule
from server.qualification.rules import State as CaseState
from server.qualification.rules import Subject as CaseSubject
from server.reopenings.documents import Reopening
from server.reopenings.rules import State as ReopeningState
from server.schemes.content import Content
from server.schemes.documents import SchemeVersion
from server.schemes.rules import State as SchemeState
from server.selection.documents import Nominee, PassList
from server.selection.rules import ListState
from server.selection.rules import State as NomineeState
from server.venues.documents import PlaceCheck
from server.venues.rules import State as PlaceState
from server.wechat.content_documents import ContentCheck
from server.wechat.content_documents import State as CheckState

UNDECIDED_AMONG = 100
"""The newest applications; as much is in review however many there have been."""


def _item(crowd: Crowd, number: int) -> PlanItem:
    return PlanItem(
        id=crowd.ids(9, number),
        level=crowd.level(number),
        major=MAJORS[number % len(MAJORS)],
        title=crowd.class_name(number),
        month=number % 12 + 1,
        places=40,
        class_hours=80,
        budget_fen=1,
    )


def applications(crowd: Crowd) -> Iterator[Row]:
    states = list(ApplicationState)
    first = Application(
        **crowd.at(0),
        plan_id="x",
        plan_year=crowd.today.year,
        plan_version=1,
        item=_item(crowd, 0),
        name=crowd.class_name(0),
        level=crowd.level(0),
        major="01",
        courses=["工学一体化课程教学实施"],
        class_hours=80,
        starts_on=crowd.today,
        ends_on=crowd.today,
        places=40,
        venue=Venue(name="实训楼", address="示例路 1 号", stars=None),
        venue_flags=[],
        warnings=[],
        wished=[],
        state=ApplicationState.SUBMITTED,
        history=[crowd.step(0, "submit")],
    ).to_mongo()
    for number in range(crowd.size.classes):
        newest = crowd.size.classes - number  # counted from the newest: they are alike at any size
        waits, old = newest < 12, newest > UNDECIDED_AMONG
        state = ApplicationState.SUBMITTED if waits else states[newest % 7 % len(states)]
        decided = {ApplicationState.SUBMITTED: not waits, ApplicationState.RETURNED: old}
        if decided.get(state):
            state = ApplicationState.APPROVED
        starts, at, level = crowd.first_day(number), crowd.at(newest), crowd.level(number)
        name, filed = crowd.class_name(number), crowd.today - timedelta(days=newest)
        moment = crowd.moment(number) if old else datetime.combine(filed, datetime.min.time(), UTC)
        item = {"id": crowd.ids(9, number), "level": level, "title": name, "month": number % 12 + 1}
        own = {
            "_id": crowd.ids(5, number),
            "plan_year": starts.year,
            "item": first["item"] | item | {"major": MAJORS[number % len(MAJORS)]},
            "name": name,
            "level": level,
            "starts_on": starts.isoformat(),
            "ends_on": starts.isoformat(),
            "state": state,
            "history": [first["history"][0] | {"at": moment}],
            "waits_since": moment if waits else None,
        }
        facets = [("state", state), ("level", level), ("year", starts.year), ("month", starts.month)]
        yield found(first | at | own, (name, at["institution_name"]), facets)


def plans(crowd: Crowd) -> Iterator[Document]:
    """More plans are those of more years: of one year each institution has as many at any size."""
    for number in range(crowd.size.papers):
        yield Plan(
            id=crowd.ids(6, number),
            **crowd.at(number),
            year=max(crowd.today.year - number // len(crowd.institutions), 2000),
            version=number + 1,
            state=PlanState.DISCARDED if number % 9 == 0 else PlanState.SUPERSEDED,
            items=[_item(crowd, number), _item(crowd, number + 1)],
            history=[crowd.step(number, "save")],
        )


def accounts(crowd: Crowd) -> Iterator[Document]:
    for number in range(crowd.size.papers):
        at = crowd.at(number)
        yield Account(
            id=crowd.ids(7, number),
            username=f"user-{number:07}",
            name=name_of(number),
            role=Role.TRAINING_BASE,
            province_code=at["province_code"],
            institution_code=at["institution_code"],
            password_hash="x",
            must_change_password=False,
            created_at=crowd.moment(0),
            deactivated_at=crowd.moment(0) if number % 10 == 0 else None,
        )


def scheme_versions(crowd: Crowd) -> Iterator[Document]:
    states = list(SchemeState)
    content = Content(formative_weight=40)
    for number in range(crowd.size.papers):
        yield SchemeVersion(
            id=crowd.ids(8, number),
            class_id=crowd.class_id(number),
            class_name=crowd.class_name(number),
            **crowd.at(number),
            level=crowd.level(number),
            starts_on=crowd.first_day(number),
            version=1,
            newest=True,
            state=states[number % len(states)],
            content=content,
            saved_at=crowd.moment(number),
            saved_by="测试员",
            history=[crowd.step(number, "save")],
        )


def corrections(crowd: Crowd) -> Iterator[Document]:
    states, subjects = list(CorrectionState), list(Subject)
    for number in range(crowd.size.papers):
        yield Correction(
            id=crowd.ids(10, number),
            **crowd.at(number),
            subject=subjects[number % len(subjects)],
            level=crowd.level(number),
            about=crowd.class_name(number),
            thing=f"thing-{number}",
            changes=[],
            reason="写错了。",
            state=states[number % len(states)],
            open=False,
            submitted_at=crowd.moment(number),
            history=[crowd.step(number, "submit")],
        )


def _of_class(crowd: Crowd, number: int) -> dict[str, Any]:
    return {
        **crowd.at(number),
        "class_id": crowd.class_id(number),
        "class_name": crowd.class_name(number),
        "history": [crowd.step(number, "submit")],
    }


def class_changes(crowd: Crowd) -> Iterator[Document]:
    states, kinds, grounds = list(ChangeState), list(ChangeKind), list(Ground)
    for number in range(crowd.size.papers):
        day = crowd.first_day(number)
        yield ClassChange(
            id=crowd.ids(11, number),
            **_of_class(crowd, number),
            kind=kinds[number % len(kinds)],
            level=crowd.level(number),
            ground=grounds[number % len(grounds)],
            reason="检修。",
            before=(day, day),
            state=states[number % len(states)],
            open=False,
            filed_at=crowd.moment(number),
        )


def reopenings(crowd: Crowd) -> Iterator[Document]:
    states = list(ReopeningState)
    for number in range(crowd.size.papers):
        yield Reopening(
            id=crowd.ids(12, number),
            **_of_class(crowd, number),
            reason="漏记成绩。",
            released_at=crowd.moment(number),
            state=states[number % len(states)],
            open=False,
        )


def place_checks(crowd: Crowd) -> Iterator[Document]:
    states = list(PlaceState)
    for number in range(crowd.size.papers):
        yield PlaceCheck(
            id=crowd.ids(13, number),
            **_of_class(crowd, number),
            place=f"示例宾馆 {number}",
            key=f"示例宾馆{number}",
            flags=[],
            reason="实地教学。",
            state=states[number % len(states)],
        )


def release_requests(crowd: Crowd) -> Iterator[Document]:
    states = list(ReleaseState)
    for number in range(crowd.size.papers):
        yield ReleaseRequest(
            id=crowd.ids(14, number),
            **_of_class(crowd, number),
            person_id=crowd.ids(1, number),
            name=name_of(number),
            id_number_masked=masked(number),
            work_unit="示例市技师学院",
            keeper=Authority.PROVINCE,
            keeper_code=crowd.at(number)["province_code"],
            reason="换了手机。",
            due_on=crowd.today,
            state=states[number % len(states)],
            open=False,
        )


def backbone_teachers(crowd: Crowd) -> Iterator[Document]:
    for number in range(crowd.size.papers):
        figures = [YearFigures(year=crowd.today.year, teaching=number % 3)]
        yield PoolMember(
            id=crowd.ids(1, number),
            name=name_of(number),
            id_number_masked=masked(number),
            province_code=crowd.at(number)["province_code"],
            work_unit=crowd.at(number)["institution_name"],
            majors=[MAJORS[number % len(MAJORS)]],
            registered_at=crowd.moment(0),
            registered_by="测试员",
            proof=Proof.UNCHECKED,
            figures=figures,
            marks=marks(figures),
            grams=grams(name_of(number), crowd.at(number)["institution_name"]),
        )


def nominees(crowd: Crowd) -> Iterator[Document]:
    states = list(NomineeState)
    for number in range(crowd.size.papers):
        yield Nominee(
            id=crowd.ids(15, number),
            province_code=crowd.at(number)["province_code"],
            name=name_of(number),
            id_number=None,
            id_number_masked=masked(number),
            work_unit="示例市技师学院",
            major=MAJORS[number % len(MAJORS)],
            years_of_teaching=6,
            post="讲师",
            opinion="同意推荐。",
            state=states[number % len(states)],
            open=False,
            submitted_at=crowd.moment(number),
            history=[crowd.step(number, "submit")],
        )


def pass_lists(crowd: Crowd) -> Iterator[Document]:
    states = list(ListState)
    for number in range(crowd.size.papers):
        day = crowd.first_day(number)
        yield PassList(
            id=crowd.ids(16, number),
            **_of_class(crowd, number),
            major="01",
            training_from=day,
            training_to=day,
            passed=[],
            note="",
            state=states[number % len(states)],
            open=False,
            submitted_at=crowd.moment(number),
        )


def _about(crowd: Crowd, kind: int, number: int) -> dict[str, Any]:
    subject = list(CaseSubject)[number % len(CaseSubject)]
    rules, at = list(Rule), crowd.at(number)
    return {
        "id": crowd.ids(kind, number),
        "subject": subject,
        "subject_id": crowd.ids(1, number) if subject is CaseSubject.TEACHER else at["institution_code"],
        "name": name_of(number),
        "unit_name": at["institution_name"],
        "province_code": at["province_code"],
        "institution_code": at["institution_code"],
        "qualification_number": None,
        "rule": rules[number % len(rules)],
        "key": f"{number}",
        "first": crowd.first_day(number),
        "last": crowd.first_day(number),
    }


def qualification_cases(crowd: Crowd) -> Iterator[Document]:
    states = list(CaseState)
    for number in range(crowd.size.papers):
        yield Case(
            **_about(crowd, 17, number),
            facts=[],
            opened_on=crowd.first_day(number),
            state_until=crowd.first_day(number),
            state=states[number % len(states)],
            open=False,
            settled_on=crowd.first_day(number),
            history=[crowd.step(number, "open")],
        )


def qualification_warnings(crowd: Crowd) -> Iterator[Document]:
    grades = list(Grade)
    for number in range(crowd.size.papers):
        yield EarlyWarning(
            **_about(crowd, 18, number), grade=grades[number % len(grades)], given_on=crowd.first_day(number)
        )


def base_requests(crowd: Crowd) -> Iterator[Document]:
    states, purposes = list(RequestState), list(RequestPurpose)
    for number in range(crowd.size.papers):
        yield BaseRequest(
            id=crowd.ids(19, number),
            purpose=purposes[number % len(purposes)],
            **crowd.at(number),
            reason="条件具备。",
            state=states[number % len(states)],
            open=False,
            submitted_at=crowd.moment(number),
            history=[crowd.step(number, "submit")],
        )


def content_checks(crowd: Crowd) -> Iterator[Document]:
    states = list(CheckState)
    for number in range(crowd.size.papers):
        state, at = states[number % len(states)], crowd.at(number)
        yield ContentCheck(
            id=crowd.ids(20, number),
            subject=f"{number}",
            part="text",
            title="学习成果",
            class_id=crowd.class_id(number),
            class_name=crowd.class_name(number),
            institution_code=at["institution_code"],
            province_code=at["province_code"],
            person_id=crowd.ids(1, number),
            person_name=name_of(number),
            openid="x",
            scene=1,
            state=state,
            pending=False,
            open=state.open,
            next_attempt_at=crowd.moment(0),
            created_at=crowd.moment(0),
        )


def outbox(crowd: Crowd) -> Iterator[Row]:
    states = list(MessageState)
    for number in range(crowd.size.papers):
        yield {
            "_id": crowd.ids(21, number),
            "person_id": crowd.ids(1, number),
            "template": "results-released",
            "data": {"class_name": crowd.class_name(number)},
            "created_at": crowd.moment(number),
            "state": states[number % len(states)],
            "attempts": 1,
            "next_attempt_at": datetime.max.replace(tzinfo=UTC),
            "read": False,
        }


def audit(crowd: Crowd) -> Iterator[Row]:
    for number in range(crowd.size.papers):
        at = crowd.at(number)
        yield {
            "_id": crowd.ids(22, number),
            "at": crowd.moment(number),
            "actor_id": crowd.ids(7, number),
            "actor_name": name_of(number),
            "actor_kind": "account",
            "province_code": at["province_code"],
            "institution_code": at["institution_code"],
            "action": "classes:open",
            "subject": crowd.class_id(number),
            "facts": {"name": crowd.class_name(number), "level": "3", "major": "01"},
            "sealed": True,
            "position": number + 1_000_000,
        }


ALL = (
    applications,
    plans,
    accounts,
    scheme_versions,
    corrections,
    class_changes,
    reopenings,
    place_checks,
    release_requests,
    backbone_teachers,
    nominees,
    pass_lists,
    qualification_cases,
    qualification_warnings,
    base_requests,
    content_checks,
    outbox,
    audit,
)
