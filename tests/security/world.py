"""A class of 邢台技师学院 with one of everything, people inside and outside of it, and the ids by which its papers are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from server.accounts.fictional import roster_of
from server.accounts.rules import mask_id_number
from server.accounts.speakers import digits_of
from server.admissions import service as admissions
from server.admissions import store as admissions_store
from server.admissions.documents import Applicant
from server.admissions.rules import Action, State
from server.assessment import grading, remarks, submissions, tasks
from server.assessment.rules import TaskKind
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import CriterionDraft, TaskDraft
from server.attendance import store as attendance_store
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import AddedHours, AddedKind
from server.certificates import service
from server.certificates.documents import Certificate
from server.classes import roster_import
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.duties import store as duties_store
from server.duties.documents import Guidance
from server.duties.rules import Action as DutyAction
from server.duties.rules import Way
from server.identities import service as identities
from server.identities.service import Asked
from server.inspections import service as inspections
from server.inspections.service import Beginning
from server.institutions import allocation
from server.institutions.account_sheet import Column
from server.institutions.requests import RequestDraft
from server.institutions.rules import RequestPurpose
from server.interruptions import service as interruptions
from server.interruptions.requests import Termination
from server.interruptions.rules import Ground
from server.invitations import service as invitations
from server.kernel.clock import beijing_date
from server.kernel.history import Step
from server.kernel.platform import Platform
from server.kernel.spreadsheets import workbook
from server.messages import inbox
from server.moves import store as moves_store
from server.moves.documents import Move
from server.qualification import base_requests
from server.qualification import store as qualification_store
from server.qualification.documents import Case, Decision
from server.qualification.rules import Action as ReviewAction
from server.qualification.rules import Outcome, Rule, Subject
from server.qualification.rules import State as ReviewState
from server.reissues import service as reissues
from server.reissues.rules import Kind
from server.reissues.service import HoldersRequest
from server.reopenings import store as reopenings_store
from server.reopenings.documents import Reopening
from server.seals import filing, keys
from server.selection import store as selection_store
from server.stock import papers
from server.stock.papers import Asking, Batch
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from server.surveys.opening import SurveyDraft
from server.surveys.rules import QuestionKind
from server.uploads import service as uploads
from server.uploads.rules import PART_BYTES
from server.uploads.service import NewUpload
from server.venues import service as venues
from server.venues.service import PlaceDraft
from server.wechat import content_store
from server.wechat.content_documents import ContentCheck
from server.wechat.content_documents import State as CheckState
from server.wechat.simulator import Simulator
from tests import cast, certifying, planning, reporting, scheming, sealing, selecting, stage
from tests.admitting import ANSWERS, enrolment_draft
from tests.stage import ClassInSession, Phone

NONCE = "nonce-of-a-phone"

PAPERS = Asking(quantity=2, reason="本月发证用")


@dataclass(frozen=True)
class World:
    phones: dict[str, Phone]
    ids: dict[str, str]
    """Parameter of an address → its value."""
    bodies: dict[str, Any]
    """End of an address → what is sent to it, well-formed, so that nothing but the right decides."""

    def body(self, path: str) -> bytes:
        fitting = (body for end, body in self.bodies.items() if path.endswith(end))
        return orjson.dumps(next(fitting, {}))


async def build_world(platform: Platform, wechat: Simulator) -> World:
    """The class lives through a morning; the clock stands in its session, with the check-in still open."""
    today = beijing_date(platform.clock.now())
    days = {"starts_on": today - timedelta(days=10), "ends_on": today}
    held = await stage.class_in_session(platform, wechat, trainees=1, **days)
    [trainee] = held.trainees
    now = platform.clock.now()
    await stage.assess(platform, held)
    earlier = {"starts_at": now - timedelta(hours=2), "ends_at": now - timedelta(hours=1), "hours": 1}
    await stage.teaching_session(platform, held, **earlier)
    await stage.come(platform, held.id)
    survey_id, answers = await _answered_survey(platform, held, trainee)
    session = await stage.teaching_session(
        platform,
        held,
        starts_at=now,
        ends_at=now + timedelta(hours=3),
        opens_at=now - timedelta(minutes=20),
        late_after=now + timedelta(minutes=5),
        closes_at=now + timedelta(hours=1),
    )
    await CheckInDesk(platform).check_in(trainee.actor, Scan(stage.code_of(platform, session), "nonce"))
    await _graded_work(platform, held, trainee, TaskKind.FORMATIVE)
    task_id, submission_id, file_id = await _graded_work(platform, held, trainee, TaskKind.SUMMATIVE)
    said = remarks.RemarkDraft(text="任务描述可以再具体一些。")
    remark, _ = await remarks.remark(platform, held.teacher.actor, submission_id, said)
    latecomer = roster_of([cast.person(900)])
    [_, letter] = await invitations.my_invitations(platform, held.teacher.actor)
    preview = await roster_import.preview_roster(platform, held.officer, held.id, "补充名册.xlsx", latecomer)
    applicant_id = await _application(platform, held, trainee)
    await scheming.draft(platform, held)
    change_id, added_id = await _interruption(platform, held, trainee)
    place = PlaceDraft(place="泰山示例宾馆", reason="在那里实地教学半天。")
    place_check_id = (await venues.ask(platform, held.officer, held.id, place)).id
    await certifying.release(platform, held.id)
    await certifying.issue_signed(platform, held.officer, held.id)
    application = await planning.applied(platform)
    [certificate] = await service.my_certificates(platform, trainee.actor)
    return World(
        phones={"trainee": trainee, "teacher": held.teacher, **await _outsiders(platform, wechat)},
        ids={
            "class_id": held.id,
            "plan_id": application.plan_id,
            "item_id": application.item.id,
            "application_id": application.id,
            "applicant_id": applicant_id,
            "session_id": session.id,
            "version": "1",
            "task_id": task_id,
            "submission_id": submission_id,
            "file_id": file_id,
            "upload_id": await _upload(platform, trainee),
            "remark_id": remark.id,
            "survey_id": survey_id,
            "case_id": await _case(platform, held),
            "decision_number": "2026-0001",
            "guidance_id": await _guidance(platform, held, trainee),
            "teacher_id": held.teacher.actor.id,
            **await _selection(platform),
            "certificate_id": certificate.id,
            "change_id": change_id,
            "added_id": added_id,
            "invitation_id": letter.id,
            "import_id": preview.id,
            "person_id": trainee.actor.id,
            "place_check_id": place_check_id,
            "token": certificate.token,
            "list_number": cast.XINGTAI,
            "openid": "openid-of-somebody",
            "code": cast.XINGTAI,
            "number": "1",
            "action": "suspend",
            "request_id": await _recommendation(platform),
            "paper_request_id": (await papers.ask(platform, held.officer, PAPERS)).id,
            "movement_id": await _delivery(platform, held),
            "forgery_id": await _forgery(platform, certificate),
            "inspection_id": await _inspection(platform),
            "reopening_id": await _reopening(platform, held),
            "seal_id": (await filing.file(platform, held.officer, cast.XINGTAI, sealing.png())).id,
            "key_id": (await keys.of_platform(platform, cast.XINGTAI)).id,
            "reissue_id": await _reissue(platform, trainee, certificate.id),
            "move_id": await _move(platform, held),
            "delegation_id": "0" * 24,
            "release_id": await _release(platform, held, trainee),
            "correction_id": await _correction(platform, held),
            "check_id": await _flagged_picture(platform, held, trainee, file_id),
            "template_id": "simulated-enrolled",
            "expires": "1773633600",
            "seal": "0" * 64,
            "key": "pass_mark",
            "level": "2",
            "job_name": "deliver-messages",
            "message_id": await _message(platform, trainee),
            "message_kind": "results-released",
            "sign_in_id": "0" * 64,
            "export_id": "0" * 24,
            "batch_id": await _batch(platform),
        },
        bodies={
            "/responses": {"answers": answers},
            "/make-ups": {
                "person_id": trainee.actor.id,
                "hours": 1,
                "held_on": today.isoformat(),
                "taught": "补上上午的课程",
                "taught_by": held.teacher.actor.name,
                "nonce": NONCE,
            },
            "/void": {"reason": "登记错了人"},
            "/requests": {"kind": "LOST", "reason": "搬家时遗失了证书。", "nonce": "another-nonce"},
            "/real-name/face": {"consent_version": "2026-11"},
            "/real-name/face/result": {"verify_id": "unknown"},
            "/real-name/wechat-pay": {"code": "unknown"},
            "/applications": {
                "work_unit": "示例市技师学院",
                "post": "讲师",
                "years_of_teaching": 8,
                "major_taught": "数控加工",
                "answers": ANSWERS,
            },
            "/review": {"agree": True},
            "/inbox/read": {"up_to": "0" * 24},
            "/message-grants": {"nonce": NONCE, "answers": {"some-template": "accept"}},
            "/scheme": {"based_on": 0},
            "/signature": {"version": 1},
            "/withdrawal": {"reason": "说错了对象"},
            "/remarks": {"text": "请加一次实训。", "nonce": NONCE},
            "/statement": {"text": "去年因病住院，附有证明。"},
            "/needs": {"text": "增加实训课时。", "nonce": NONCE},
            "/pledge": {"text_version": 1},
            "/late-registrations": {"person_id": trainee.actor.id, "reason": "手机没电"},
            "/late-registrations/all": {"person_ids": [trainee.actor.id], "reason": "教室停电"},
            f"/check-ins/{trainee.actor.id}": {"status": "late", "reason": "课间才到"},
            "/verdict": {"verdict": "fine", "words": "借同事手机"},
            "/window": {"closes_at": (now + timedelta(hours=2)).isoformat()},
            "/decline": {"reason": "教学任务冲突"},
            f"/trainees/{trainee.actor.id}/phone": {"phone_digits": digits_of(platform, trainee.openid)},
            "/dispute": {"reason": "当天没有接到电话"},
            "/teaching/guidance": {
                "class_id": held.id,
                "trainee_id": trainee.actor.id,
                "given_on": today.isoformat(),
                "way": "ONLINE",
                "about": "讨论学习任务设计。",
                "minutes": 30,
                "nonce": "guidance-1",
            },
            "/grade": {"scores": {"c1": 80}, "reason": "复核成绩"},
        },
    )


async def _message(platform: Platform, trainee: Phone) -> str:
    """Something that the trainee was told: the message's id."""
    [message, *_], _ = await inbox.inbox(platform, trainee.actor.id)
    return message.id


async def _batch(platform: Platform) -> str:
    """A sheet with one account, uploaded by the centre: its id."""
    row = ("xingtai-two", "邢试又", "教师培训基地", "", cast.XINGTAI)
    sheet = workbook("账号", [(column.title, 20) for column in Column], [row])
    return (await allocation.preview(platform, stage.actor(cast.CENTRE), "账号.xlsx", sheet)).id


async def _selection(platform: Platform) -> dict[str, str]:
    """河北 recommends a teacher, who is in the 骨干 class of 常州 by now; an earlier list of that class is registered."""
    nominee = await selecting.accepted(platform)
    held = await selecting.backbone_class(platform, selecting.CHANGZHOU)
    await selecting.enrolled(platform, held, [nominee])
    passed, decision = selecting.an_earlier_list(held, platform.clock.now())
    await selection_store.insert_list(platform, passed)
    await selection_store.insert_decision(platform, decision)
    return {
        "nominee_id": nominee.id,
        "paper_id": nominee.papers[0].id,
        "backbone_class_id": held.id,
        "list_id": passed.id,
    }


async def _recommendation(platform: Platform) -> str:
    """The province of the class recommends a school: the request's id."""
    draft = RequestDraft(
        purpose=RequestPurpose.NEW_BASE,
        institution_name="河北示例技师学院",
        majors=["01"],
        reason="实训条件达到要求，近三年承担省级师资培训。",
    )
    return (await base_requests.submit(platform, stage.actor(cast.HEBEI_OFFICER), draft)).id


async def _guidance(platform: Platform, held: ClassInSession, trainee: Phone) -> str:
    """Guidance of the teacher for the trainee, as if the class were over: its id."""
    now, teacher = platform.clock.now(), held.teacher.actor
    guidance = Guidance(
        teacher_id=teacher.id,
        teacher_name=teacher.name,
        trainee_id=trainee.actor.id,
        trainee_name=trainee.actor.name,
        class_id=held.id,
        class_name=held.training_class.name,
        year=now.year,
        given_on=beijing_date(now),
        way=Way.ONLINE,
        about="讨论学习任务设计。",
        minutes=30,
        nonce="guidance-0",
        logged_at=now,
        history=[Step(at=now, actor_id=teacher.id, actor_name=teacher.name, action=DutyAction.LOG)],
    )
    await duties_store.insert(platform, guidance)
    return guidance.id


async def _case(platform: Platform, held: ClassInSession) -> str:
    """The centre has decided about the teacher of the class, and kept the title: the case's id."""
    now, teacher = platform.clock.now(), held.teacher.actor
    today = beijing_date(now)
    decision = Decision(
        number="2026-0001",
        outcome=Outcome.KEPT,
        reason="经核实情况属实。",
        effective_on=today,
        decided_at=now,
        decided_by="部试甲",
    )
    case = Case(
        subject=Subject.TEACHER,
        subject_id=teacher.id,
        name=teacher.name,
        unit_name="邢台技师学院",
        province_code=cast.HEBEI,
        institution_code=None,
        qualification_number=None,
        rule=Rule.NO_TASK,
        key="2024-01-10",
        first=today,
        last=today,
        facts=[],
        opened_on=today,
        state_until=today,
        state=ReviewState.DECIDED,
        open=False,
        settled_on=today,
        decisions=[decision],
        history=[Step(at=now, actor_id="qualification-review", actor_name="平台", action=ReviewAction.OPEN)],
    )
    await qualification_store.insert_cases(platform, [case])
    return case.id


async def _interruption(platform: Platform, held: ClassInSession, trainee: Phone) -> tuple[str, str]:
    """The institution asks to terminate the class, and somebody made an hour up: the ids of both."""
    wanted = Termination(ground=Ground.FORCE_MAJEURE, reason="台风登陆，当地停课。")
    change = await interruptions.terminate(platform, held.officer, held.id, wanted)
    made_up = AddedHours(
        class_id=held.id,
        institution_code=held.training_class.institution_code,
        province_code=held.training_class.province_code,
        person_id=trainee.actor.id,
        kind=AddedKind.MADE_UP,
        hours=1,
        held_on=held.training_class.starts_on,
        taught="补上上午的课程",
        taught_by=held.teacher.actor.name,
        recorded_at=platform.clock.now(),
        recorded_by=held.officer.name,
    )
    await attendance_store.insert_added(platform, [made_up])
    return change.id, made_up.id


async def _correction(platform: Platform, held: ClassInSession) -> str:
    """The institution asks to correct where the class was: the request's id."""
    item = held.training_class
    wanted = ClassCorrection(
        name=item.name,
        place="图书馆 201",
        starts_on=item.starts_on,
        ends_on=item.ends_on,
        reason="实训楼检修，改到图书馆。",
    )
    return (await corrections.correct_class(platform, held.officer, held.id, wanted)).id


async def _release(platform: Platform, held: ClassInSession, trainee: Phone) -> str:
    """The institution asks to release the phone of the trainee, whom 河北 answers for: the request's id."""
    wanted = Asked(reason="核对身份证原件，原手机遗失")
    return (await identities.ask(platform, held.officer, held.id, trainee.actor.person_id, wanted)).id


async def _move(platform: Platform, held: ClassInSession) -> str:
    """Within 河北, that 邢台 asked for; a document alone."""
    officer = held.officer
    asked = Step(at=platform.clock.now(), actor_id=officer.id, actor_name=officer.name, action="ASK")
    new = Move(
        person_id=held.trainees[0].actor.id,
        name=cast.TRAINEE.name,
        id_number_masked="",
        backbone=False,
        from_unit="邢台技师学院",
        from_province=cast.HEBEI,
        to_unit="示例市技师学院",
        to_province=cast.HEBEI,
        province_code=[cast.HEBEI],
        institution_code=[cast.XINGTAI],
        effective_on=beijing_date(platform.clock.now()),
        reason="组织调动。",
        asked_by=held.officer.office,
        pending=[cast.HEBEI],
        history=[asked],
    )
    await moves_store.insert(platform, new)
    return new.id


async def _delivery(platform: Platform, held: ClassInSession) -> str:
    """Blank paper that came from a printer: the line of the book."""
    today = beijing_date(platform.clock.now())
    await papers.receive(
        platform, held.officer, Batch(first="HB000001", quantity=3, on=today, origin="印刷厂")
    )
    return (await papers.movements(platform, held.officer))[0].id


async def _forgery(platform: Platform, certificate: Certificate) -> str:
    """Somebody has seen a forged copy of it: the report's id."""
    return (await reporting.reported(platform, certificate.printed.number)).id


async def _reopening(platform: Platform, held: ClassInSession) -> str:
    """A request to open the results again that waits with the province: its id."""
    item = held.training_class
    officer = held.officer
    asked = Step(at=platform.clock.now(), actor_id=officer.id, actor_name=officer.name, action="REQUEST")
    new = Reopening(
        class_id=item.id,
        class_name=item.name,
        institution_code=item.institution_code,
        institution_name=item.institution_name,
        province_code=item.province_code,
        reason="漏计一次补签。",
        released_at=platform.clock.now(),
        history=[asked],
    )
    await reopenings_store.insert(platform, new)
    return new.id


async def _reissue(platform: Platform, trainee: Phone, certificate_id: str) -> str:
    """The holder's request for a copy, which waits for the issuer: its id."""
    wanted = HoldersRequest(kind=Kind.LOST, reason="搬家时遗失了证书。", nonce="nonce-of-a-copy")
    asked, _ = await reissues.ask_as_holder(platform, trainee.actor, certificate_id, wanted)
    return asked.id


async def _application(platform: Platform, held: ClassInSession, trainee: Phone) -> str:
    """The class is open, and its trainee has come by an application of the own: its id."""
    closes = platform.clock.now() + timedelta(hours=2)
    await admissions.open_enrolment(platform, held.officer, held.id, enrolment_draft(platform, closes=closes))
    applied = Step(
        at=platform.clock.now(), actor_id=trainee.actor.id, actor_name=trainee.actor.name, action=Action.APPLY
    )
    applicant = Applicant(
        class_id=held.id,
        class_name=held.training_class.name,
        institution_code=held.training_class.institution_code,
        province_code=held.training_class.province_code,
        person_id=trainee.actor.id,
        name=trainee.actor.name,
        id_number_masked=mask_id_number(cast.people(1)[0].id_number),
        work_unit="示例市技师学院",
        post="讲师",
        years_of_teaching=8,
        major_taught="数控加工",
        answers={},
        state=State.ADMITTED,
        open=True,
        history=[applied],
    )
    await admissions_store.insert_applicant(platform, applicant)
    return applicant.id


async def _inspection(platform: Platform) -> str:
    """A yearly check of 邢台 under way: its id."""
    wanted = Beginning(institution=cast.XINGTAI, year=beijing_date(platform.clock.now()).year)
    return (await inspections.begin(platform, stage.actor(cast.HEBEI_OFFICER), wanted)).id


async def _upload(platform: Platform, trainee: Phone) -> str:
    """A file of two parts, of which none has come."""
    wanted = NewUpload(name="成果.pdf", size=PART_BYTES + 1, nonce="upload-of-the-world")
    return (await uploads.begin(platform, trainee.actor, wanted))[0].id


async def _flagged_picture(platform: Platform, held: ClassInSession, trainee: Phone, file_id: str) -> str:
    """The content check has doubts about what the trainee handed in: the check's id."""
    item = held.training_class
    check = ContentCheck(
        subject="submission:of-somebody",
        part=file_id,
        title="学习成果《教学设计》",
        class_id=item.id,
        class_name=item.name,
        institution_code=item.institution_code,
        province_code=item.province_code,
        person_id=trainee.actor.id,
        person_name=trainee.actor.name,
        openid=trainee.openid,
        scene=4,
        file_id=file_id,
        file_name="课堂.png",
        media_type="image/png",
        state=CheckState.REVIEW,
        pending=False,
        open=True,
        next_attempt_at=platform.clock.now(),
        created_at=platform.clock.now(),
    )
    await content_store.insert(platform, [check])
    return check.id


async def _graded_work(
    platform: Platform, held: ClassInSession, trainee: Phone, kind: TaskKind
) -> tuple[str, str, str]:
    """A task with a file handed in and graded: the ids of task, submission and file."""
    draft = TaskDraft(
        title="教学设计",
        kind=kind,
        deadline=platform.clock.now() + timedelta(days=2),
        criteria=[CriterionDraft(title="任务分析", points=100)],
    )
    task = await tasks.create_task(platform, held.officer, held.id, draft)
    upload = await submissions.begin_upload(platform, trainee.actor, task.id)
    await upload.begin("教学设计.txt")
    await upload.write("本人独立完成。".encode() * 20)
    await upload.end()
    words = SubmissionDraft(own_work=True, text="见附件。")
    handed_in, _ = await submissions.hand_in(platform, trainee.actor, task.id, words, upload)
    marks = grading.GradeRequest(scores={one.key: 90 for one in task.criteria})
    await grading.grade_submission(platform, held.teacher.actor, handed_in.id, marks)
    return task.id, handed_in.id, handed_in.files[0].id


async def _answered_survey(
    platform: Platform, held: ClassInSession, trainee: Phone
) -> tuple[str, dict[str, int | str]]:
    """The survey's id, and answers that fit it."""
    now = platform.clock.now()
    period = SurveyDraft(opens_at=now, closes_at=now + timedelta(days=3))
    survey = await survey_opening.open_survey(platform, held.officer, held.id, period)
    answers: dict[str, int | str] = {one.key: 3 for one in survey.questions if one.kind is QuestionKind.SCALE}
    await surveys.answer_survey(platform, trainee.actor, survey.id, answers)
    return survey.id, answers


async def _outsiders(platform: Platform, wechat: Simulator) -> dict[str, Phone]:
    """A phone that is bound to nobody, and a trainee and a teacher of a class of 扬州."""
    yangzhou = stage.actor(cast.YANGZHOU_OFFICER)
    theirs = await stage.open_class(platform, yangzhou, stage.class_draft(name="扬州三级教师培训班"))
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-other-teacher", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, yangzhou, theirs.id, teacher)
    await stage.enrol(platform, cast.YANGZHOU_OFFICER, theirs.id, [cast.STRANGER])
    return {
        "unbound": await stage.phone(platform, wechat, "openid-unbound"),
        "other-trainee": await stage.phone(platform, wechat, "openid-other-trainee", cast.STRANGER),
        "other-teacher": teacher,
    }
