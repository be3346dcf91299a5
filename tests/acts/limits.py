"""Until when each way back is open (README, 办理与退路, third column): what brings the world past the limit, and how it is refused then.

A limit finds what a case has made by itself, for every case makes one thing of a kind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from server.accounts import binding
from server.accounts.delegation_rules import NotInForce
from server.admissions.roster_rules import AskForACorrection, HasCome
from server.admissions.rules import ArrivalStands
from server.admissions.rules import NotInThisState as ApplicationStands
from server.applications import service as applications
from server.applications.service import Approval
from server.assessment.documents import Task
from server.assessment.tasks import TaskInUse
from server.attendance import rolls, timetable
from server.attendance.rolls import LateRegistration
from server.attendance.timetable import SessionInUse, SessionOver
from server.backbone.rules import PoolStatus, StatusNotPossible
from server.certificates import issue
from server.classes import store as classes_store
from server.classes.service import ResultsReleased, SchemeGoverns
from server.corrections import service as corrections
from server.identities import service as identities
from server.inspections import service as inspections
from server.inspections.service import Passing
from server.institutions.qualifications import Decision
from server.institutions.rules import RequestPurpose
from server.interruptions import service as interruptions
from server.interruptions.rules import CannotBeRevoked, ClassBegun
from server.invitations import service as invitations
from server.invitations.rules import ClassOver, InvitationClosed
from server.kernel.errors import Invalid, Problem
from server.kernel.mongo import Row
from server.kernel.reviews import NotInThisState, Return, Review
from server.layouts.service import LayoutInForce
from server.moves import service as moves
from server.plans import service as plans
from server.plans.window_rules import WindowOver
from server.qualification import base_requests
from server.qualification import service as qualification
from server.qualification.rules import CaseSettled, Outcome
from server.qualification.service import DecisionDraft, StatementDraft
from server.reissues import revoking
from server.reissues import service as reissues
from server.reopenings import service as reopenings
from server.reopenings.rules import CertificatesIssued
from server.schemes import service as schemes
from server.schemes.rules import SchemeNotInState
from server.seals import filing as seals
from server.selection import service as selection
from server.selection import training
from server.selection.training import ClassOver as ClassHasBegun
from server.selection.training import EnrolDraft
from server.stock import handing, papers
from server.stock.paper_rules import Counted
from server.stock.papers import Counting
from server.stock.rules import HolderConfirmed
from server.venues import service as venues
from server.venues.service import Finding
from tests import assessing, cast, certifying, reviewing, selecting, stage, surveying
from tests.acts.overseen import about_xingtai
from tests.acts.people import NEWCOMER
from tests.acts.walking import Key, World
from tests.cast import Person
from tests.planning import CENTRE, CHANGZHOU, HEBEI, JIANGSU, XINGTAI
from tests.stage import Phone

Pass = Callable[[World], Awaitable[None]]
WHY = "经研究决定，材料齐全。"


@dataclass(frozen=True)
class Limit:
    """`passes` brings the world past it; `refusal` is what the way back raises then."""

    passes: Pass
    refusal: type[Problem]


LIMITS: dict[Key, list[Limit]] = {}


def until(act: str, back: str, refusal: type[Problem]) -> Callable[[Pass], Pass]:
    """A limit of this row. A row may have several, and several rows the same one."""

    def register(passes: Pass) -> Pass:
        LIMITS.setdefault((act, back), []).append(Limit(passes, refusal))
        return passes

    return register


async def made(world: World, collection: str) -> Row:
    """The newest document of a collection."""
    row = await world.platform[collection].find_one({}, sort=[("_id", -1)])
    assert row is not None, f"{collection} has nothing"
    return row


def read(row: Row) -> Review:
    return Review(seen=len(row["history"]))


async def the_teacher(world: World) -> Phone:
    return await stage.phone(world.platform, world.wechat, "openid-teacher", cast.BACKBONE_TEACHER)


async def the_class(world: World) -> str:
    """The oldest: the one that a case is about."""
    row = await world.platform["classes"].find_one({}, sort=[("_id", 1)])
    assert row is not None
    return str(row["_id"])


def noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(4), UTC)


# ---- plans, applications, letters, schemes, corrections


@until("plans:begin", "plans:discard", NotInThisState)
async def the_plan_is_filed(world: World) -> None:
    plan = await made(world, "plans")
    await plans.submit(world.platform, XINGTAI, plan["_id"], len(plan["history"]))


@until("plans:submit", "plans:withdraw", NotInThisState)
async def the_plan_is_approved(world: World) -> None:
    plan = await made(world, "plans")
    await plans.approve(world.platform, HEBEI, plan["_id"], read(plan))


@until("plans:announce-window", "plans:withdraw-window", WindowOver)
async def the_last_day_has_passed(world: World) -> None:
    world.now_is(noon((await made(world, "plan_windows"))["closes_on"]) + timedelta(days=1))


@until("layouts:add", "layouts:take-back", LayoutInForce)
async def its_first_day_has_come(world: World) -> None:
    world.now_is(noon((await made(world, "layouts"))["effective_from"]))


@until("applications:submit", "applications:withdraw", NotInThisState)
async def the_application_is_approved(world: World) -> None:
    asked = await made(world, "applications")
    approval = Approval(seen=len(asked["history"]))
    await applications.approve(world.platform, HEBEI, asked["_id"], approval)


@until("invitations:send", "invitations:withdraw", InvitationClosed)
async def the_letter_is_answered(world: World) -> None:
    letter = await made(world, "invitations")
    await invitations.accept(world.platform, (await the_teacher(world)).actor, letter["_id"])


@until("invitations:accept", "invitations:cancel", ClassOver)
async def the_class_has_ended(world: World) -> None:
    letter = await made(world, "invitations")
    world.now_is(noon(letter["ends_on"]) + timedelta(days=1))


@until("schemes:save", "schemes:discard", SchemeNotInState)
async def the_scheme_is_sent_for_signature(world: World) -> None:
    scheme = await made(world, "scheme_versions")
    await schemes.send_for_signature(world.platform, XINGTAI, scheme["class_id"], scheme["version"])


@until("schemes:send", "schemes:withdraw", SchemeNotInState)
@until("schemes:file", "schemes:withdraw", SchemeNotInState)
async def the_scheme_is_approved(world: World) -> None:
    scheme = await made(world, "scheme_versions")
    at = scheme["class_id"], scheme["version"]
    if scheme["state"] != "SUBMITTED":
        await schemes.file(world.platform, XINGTAI, *at)
    await schemes.approve(world.platform, HEBEI, *at)


@until("corrections:request", "corrections:retract", NotInThisState)
async def the_correction_is_approved(world: World) -> None:
    await corrections.approve(world.platform, HEBEI, (await made(world, "corrections"))["_id"], WHY)


@until("venues:ask", "venues:withdraw", NotInThisState)
async def the_place_is_looked_at(world: World) -> None:
    asked = await made(world, "place_checks")
    finding = Finding(note=WHY, seen=len(asked["history"]))
    await venues.allow(world.platform, HEBEI, asked["_id"], finding)


# ---- who comes


@until("admissions:apply", "admissions:withdraw", ApplicationStands)
@until("classes:confirm-roster", "admissions:remove-trainee", HasCome)
@until("admissions:add-trainee", "admissions:remove-trainee", HasCome)
async def the_class_begins(world: World) -> None:
    """Where a class asks for no 报到, whoever is of it has come on its first day."""
    held = await world.platform["classes"].find_one({"_id": await the_class(world)})
    assert held is not None
    world.now_is(noon(held["starts_on"]))


@until("admissions:edit-trainee", "admissions:edit-trainee", AskForACorrection)
async def a_phone_speaks_for_them(world: World) -> None:
    """By the name that the roster has by then."""
    listed = await made(world, "enrolments")
    unbound = await stage.phone(world.platform, world.wechat, "openid-newcomer")
    person = Person(listed["name"], NEWCOMER.id_number, NEWCOMER.phone, NEWCOMER.unit)
    claimed = stage.claim(world.wechat, unbound.openid, person)
    await binding.bind_real_name(world.platform, unbound.actor, claimed)


@until("identities:ask-release", "identities:retract", NotInThisState)
async def the_release_is_decided(world: World) -> None:
    asked = await made(world, "release_requests")
    await identities.release(world.platform, HEBEI, asked["_id"], read(asked))


@until("admissions:confirm-arrival", "admissions:undo-arrival", ArrivalStands)
async def the_day_is_over(world: World) -> None:
    world.now_is(world.platform.clock.now() + timedelta(days=1))


# ---- what befalls a class


@until("applications:approve", "interruptions:call-off", ClassBegun)
async def the_first_check_in_opens(world: World) -> None:
    held = await made(world, "classes")
    starts_at = noon(held["starts_on"])
    draft = stage.session_draft(starts_at=starts_at, ends_at=starts_at + timedelta(hours=3))
    session = await timetable.add_session(world.platform, XINGTAI, held["_id"], draft)
    world.now_is(session.opens_at)


@until("interruptions:ask-suspend", "interruptions:withdraw", NotInThisState)
@until("interruptions:ask-postpone", "interruptions:withdraw", NotInThisState)
@until("interruptions:ask-transfer", "interruptions:withdraw", NotInThisState)
@until("interruptions:ask-terminate", "interruptions:withdraw", NotInThisState)
@until("interruptions:ask-revoke", "interruptions:withdraw", NotInThisState)
async def the_change_is_approved(world: World) -> None:
    asked = await made(world, "class_changes")
    await interruptions.approve(world.platform, HEBEI, asked["_id"], read(asked))


@until("interruptions:suspend", "interruptions:revoke", CannotBeRevoked)
async def the_suspension_has_begun(world: World) -> None:
    world.now_is(noon((await made(world, "class_changes"))["suspended_from"]))


@until("interruptions:postpone", "interruptions:revoke", CannotBeRevoked)
async def a_time_that_it_moved_has_passed(world: World) -> None:
    change = await made(world, "class_changes")
    world.now_is(change["moves"][0]["before"] + timedelta(minutes=1))


# ---- sessions, work and results


@until("attendance:add-session", "attendance:cancel-session", SessionInUse)
@until("attendance:change-session", "attendance:change-session", SessionInUse)
async def somebody_has_checked_in(world: World) -> None:
    session = await made(world, "teaching_sessions")
    world.now_is(session["starts_at"])
    trainee = await made(world, "enrolments")
    there = LateRegistration(person_id=trainee["person_id"], reason="手机没电，现场核对")
    await rolls.register_late(world.platform, XINGTAI, session["class_id"], session["_id"], there)


@until("attendance:change-session", "attendance:change-session", SessionOver)
async def the_session_has_ended(world: World) -> None:
    world.now_is((await made(world, "teaching_sessions"))["ends_at"])


@until("attendance:add-session", "attendance:cancel-session", SchemeGoverns)
async def a_scheme_is_approved(world: World) -> None:
    held = await made(world, "classes")
    await world.platform["classes"].update_one({"_id": held["_id"]}, {"$set": {"scheme_version": 1}})


@until("attendance:extend-window", "attendance:shorten-window", Invalid)
async def the_usual_window_has_closed(world: World) -> None:
    session = await made(world, "teaching_sessions")
    world.now_is(session["starts_at"] + timedelta(minutes=30))


@until("admissions:leave", "admissions:come-back", ResultsReleased)
@until("attendance:add-session", "attendance:cancel-session", ResultsReleased)
@until("attendance:change-session", "attendance:change-session", ResultsReleased)
@until("attendance:name-teacher", "attendance:name-teacher", ResultsReleased)
@until("attendance:register-late", "attendance:change-check-in", ResultsReleased)
@until("attendance:change-check-in", "attendance:change-check-in", ResultsReleased)
@until("attendance:judge-flags", "attendance:judge-flags", ResultsReleased)
@until("attendance:make-up", "attendance:void-make-up", ResultsReleased)
@until("assessment:grade", "assessment:grade", ResultsReleased)
@until("assessment:remark", "assessment:take-back-remark", ResultsReleased)
async def results_are_released(world: World) -> None:
    await certifying.release(world.platform, await the_class(world))


@until("attendance:credit", "attendance:void-credit", ResultsReleased)
async def results_of_the_later_class_are_released(world: World) -> None:
    held = await made(world, "classes")
    await classes_store.set_results_released(world.platform, held["_id"], world.platform.clock.now())


@until("venues:resolve", "venues:refuse", ResultsReleased)
async def results_of_nobody_are_released(world: World) -> None:
    """Of a class on whose roster nobody is."""
    class_id = await the_class(world)
    await classes_store.set_results_released(world.platform, class_id, world.platform.clock.now())


@until("assessment:create-task", "assessment:withdraw-task", TaskInUse)
async def work_is_handed_in(world: World) -> None:
    task = Task.from_mongo(await made(world, "tasks"))
    phone = await stage.phone(world.platform, world.wechat, "openid-trainee-0", cast.people(1)[0])
    await assessing.hand_in(world.platform, phone, task)


@until("assessment:release", "assessment:reopen", CertificatesIssued)
async def a_certificate_is_issued(world: World) -> None:
    held = await made(world, "classes")
    class_id = held["_id"]
    world.now_is(noon(held["ends_on"]))
    await surveying.past_survey(world.platform, class_id)
    await issue.issue_certificates(world.platform, XINGTAI, class_id)


@until("seals:file", "seals:withdraw", NotInThisState)
async def the_seal_is_approved(world: World) -> None:
    filed = await made(world, "seals")
    await seals.approve(world.platform, HEBEI, filed["_id"], read(filed))


@until("reopenings:request", "reopenings:retract", NotInThisState)
async def the_results_are_open_again(world: World) -> None:
    asked = await made(world, "reopenings")
    await reopenings.approve(world.platform, HEBEI, asked["_id"], read(asked))


@until("surveys:move-closing", "surveys:move-closing", Invalid)
async def the_survey_is_closed(world: World) -> None:
    world.now_is((await made(world, "surveys"))["closes_at"] + timedelta(minutes=1))


# ---- titles and the pool


@until("institutions:submit-request", "institutions:retract-request", NotInThisState)
async def the_request_is_carried_out(world: World) -> None:
    asked = await made(world, "base_requests")
    decision = Decision(effective_on=reviewing.TODAY, reason=WHY)
    await base_requests.carry_out(world.platform, CENTRE, asked["_id"], decision)


@until("institutions:suspend", "institutions:resume", Invalid)
async def the_base_is_withdrawn(world: World) -> None:
    await base_requests.submit(world.platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))
    await the_withdrawal_is_carried_out(world)


@until("qualification:file", "qualification:take-back", NotInThisState)
async def the_withdrawal_is_carried_out(world: World) -> None:
    await reviewing.hear_xingtai(world.platform)
    await the_request_is_carried_out(world)


@until("qualification:open", "qualification:dismiss", CaseSettled)
async def the_case_is_decided(world: World) -> None:
    case = await made(world, "qualification_cases")
    said = StatementDraft(text="正在整改。")
    await qualification.state_for_base(world.platform, CHANGZHOU, case["_id"], said)
    wanted = DecisionDraft(outcome=Outcome.CANCELLED, effective_on=reviewing.TODAY, reason=WHY)
    await qualification.decide(world.platform, CENTRE, case["_id"], wanted)


@until("backbone:change-status", "backbone:change-status", StatusNotPossible)
async def the_title_is_cancelled(world: World) -> None:
    teacher = await made(world, "backbone_teachers")
    cancelled = PoolStatus.CANCELLED
    await reviewing.set_status(world.platform, CENTRE, teacher["_id"], cancelled, reviewing.TODAY)


@until("stock:receive", "stock:take-back", Counted)
@until("stock:assign", "stock:release", Counted)
async def the_paper_is_counted(world: World) -> None:
    book = (await papers.stock(world.platform, XINGTAI)).book
    await papers.count(world.platform, XINGTAI, Counting(counted=book.left))


@until("stock:ask", "stock:withdraw", NotInThisState)
async def the_province_does_not_give_it(world: World) -> None:
    asked = await made(world, "paper_requests")
    await papers.decline(world.platform, HEBEI, asked["_id"], Return(reason=WHY, seen=1))


@until("certificates:hand-over", "certificates:take-back-handover", HolderConfirmed)
async def its_holder_has_confirmed_it(world: World) -> None:
    phone = await stage.phone(world.platform, world.wechat, "openid-trainee-0", cast.people(1)[0])
    handed = await made(world, "handovers")
    await handing.confirm(world.platform, phone.actor, handed["certificate_id"])


@until("reissues:ask", "reissues:withdraw", NotInThisState)
async def the_copy_is_granted(world: World) -> None:
    asked = await made(world, "reissues")
    await reissues.grant(world.platform, XINGTAI, asked["_id"], read(asked))


@until("reissues:file", "reissues:withdraw", NotInThisState)
async def the_province_agrees(world: World) -> None:
    asked = await made(world, "reissues")
    await reissues.approve(world.platform, HEBEI, asked["_id"], read(asked))


@until("reissues:propose", "reissues:withdraw", NotInThisState)
async def it_is_revoked(world: World) -> None:
    heard = await made(world, "reissues")
    world.now_is(noon(heard["until"]) + timedelta(days=1))
    wanted = revoking.Decision(typed=heard["certificate_number"], seen=len(heard["history"]))
    await revoking.decide(world.platform, XINGTAI, heard["_id"], wanted)


@until("accounts:delegate", "accounts:end-delegation", NotInForce)
async def the_leave_is_over(world: World) -> None:
    world.now_is(noon((await made(world, "delegations"))["last_on"]) + timedelta(days=1))


@until("moves:ask", "moves:withdraw", NotInThisState)
async def it_has_taken_effect(world: World) -> None:
    asked = await made(world, "moves")
    await moves.confirm(world.platform, JIANGSU, asked["_id"], read(asked))


@until("selection:submit", "selection:withdraw", NotInThisState)
async def the_candidate_is_in_a_class(world: World) -> None:
    nominee = await made(world, "nominees")
    await selection.accept(world.platform, CENTRE, nominee["_id"], read(nominee))
    held = await selecting.backbone_class(world.platform, CHANGZHOU)
    draft = EnrolDraft(class_id=held.id, nominee_ids=[nominee["_id"]])
    await training.enrol(world.platform, CHANGZHOU, draft)


@until("inspections:begin", "inspections:drop", NotInThisState)
async def the_check_is_concluded(world: World) -> None:
    found = await made(world, "inspections")
    await inspections.pass_(world.platform, HEBEI, found["_id"], Passing(seen=len(found["history"])))


@until("selection:enrol", "selection:release", ClassHasBegun)
async def the_backbone_class_begins(world: World) -> None:
    await the_class_begins(world)
