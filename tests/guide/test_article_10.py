"""第十条：培训机构在发放入学通知时、参训教师入学报到时和学习培训期间，都要明确纪律要求。"""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts.people import persons
from server.accounts.rules import Evidence
from server.admissions import arrival, roster, rules
from server.admissions.roster_rules import HasCome
from server.admissions.rules import DISCIPLINE_VERSION, ArrivalStands, PledgeMissing
from server.assessment import grading, tasks
from server.assessment.rules import TaskKind
from server.attendance import changes
from server.attendance.changes import CheckInChange
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.rules import Status
from server.classes.rules import NotArrived
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform
from server.surveys import service as surveys
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import admit, clock_of, open_class
from tests.api.client import call
from tests.assessing import graded, hand_in, set_task
from tests.printed import open_pdf
from tests.surveying import answer, open_survey

SUBJECTS = {
    "第十条": "中央八项规定",
    "第十一条": "风景名胜区",
    "第十二条": "不饮酒",
    "第十三条": "不抄袭",
    "第十四条": "谋取私利",
    "第十五条": "礼金",
}
"""Something that each article of the chapter forbids or asks for."""


async def test_the_discipline_comes_with_the_admission_notice(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    """“培训机构在发放入学通知时 … 要明确纪律要求”, articles 10 to 15, with the number of the text."""
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.STRANGER])
    notice = (await call(site, "GET", f"/classes/{opened.id}/admission-notice", token=phone.token)).json
    told = {one["article"]: one["text"] for one in notice["discipline"]}
    assert told.keys() == SUBJECTS.keys()
    assert all(words in told[article] for article, words in SUBJECTS.items())
    assert notice["text_version"] == DISCIPLINE_VERSION
    [unread] = await arrival.class_arrivals(platform, opened.id)
    assert unread.arrival is None, "that a phone has fetched it does not say that it was shown"
    await call(site, "POST", f"/classes/{opened.id}/admission-notice/open", token=phone.token)
    kept = await arrival.class_arrivals(platform, opened.id)
    assert kept[0].arrival is not None
    assert kept[0].arrival.notice_opened_at == platform.clock.now()


async def test_nobody_arrives_without_a_pledge(platform: Platform, wechat: Simulator) -> None:
    """“参训教师入学报到时 … 要明确纪律要求”: signed in the mini-program, or on paper before the eyes of staff."""
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.STRANGER])
    person_id = phone.actor.person_id
    with pytest.raises(PledgeMissing):
        await arrival.confirm_arrival(platform, opened.officer, opened.id, person_id, pledge_on_paper=False)
    await arrival.sign_pledge(platform, phone.actor, opened.id, DISCIPLINE_VERSION)
    await arrival.confirm_arrival(platform, opened.officer, opened.id, person_id, pledge_on_paper=False)
    person = (await persons(platform, [person_id]))[person_id]
    assert Evidence(person.evidence).is_real_name


async def test_who_has_not_arrived_does_not_check_in(platform: Platform, wechat: Simulator) -> None:
    """入学报到 comes before 学习培训期间."""
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.STRANGER])
    clock_of(platform).advance(timedelta(days=28))
    now = platform.clock.now()
    session = await stage.teaching_session(
        platform,
        opened,
        starts_at=now,
        ends_at=now + timedelta(hours=3),
        opens_at=now - timedelta(minutes=20),
        late_after=now + timedelta(minutes=5),
        closes_at=now + timedelta(hours=1),
    )
    desk = CheckInDesk(platform)
    with pytest.raises(NotArrived):
        await desk.check_in(phone.actor, Scan(stage.code_of(platform, session), "nonce-1"))
    await arrival.confirm_arrival(
        platform, opened.officer, opened.id, phone.actor.person_id, pledge_on_paper=True
    )
    assert (await desk.check_in(phone.actor, Scan(stage.code_of(platform, session), "nonce-2"))).new


async def test_who_has_not_arrived_hands_in_nothing_is_not_graded_and_rates_nobody(
    platform: Platform, wechat: Simulator
) -> None:
    """The same asks a check-in: 入学报到 comes before 学习培训期间. What there is to read they may read."""
    opened = await stage.class_in_session(platform, wechat)
    came, absent = opened.trainees
    await platform["enrolments"].update_many({}, {"$set": {"arrival_required": True}})
    await arrival.confirm_arrival(
        platform, opened.officer, opened.id, came.actor.person_id, pledge_on_paper=True
    )
    task, practical = [await set_task(platform, opened, kind) for kind in TaskKind]
    with pytest.raises(NotArrived):
        await hand_in(platform, absent, task)
    with pytest.raises(NotArrived):
        await grading.grade_trainee(
            platform, opened.teacher.actor, practical.id, absent.actor.person_id, graded(50, 30)
        )
    assert await tasks.my_tasks(platform, absent.actor, opened.id)
    assert (await hand_in(platform, came, task)).version == 1
    survey = await open_survey(platform, opened)
    with pytest.raises(NotArrived):
        await answer(platform, survey, [absent])
    asked = platform["outbox"].find({"template": "survey-opened"})
    assert {row["person_id"] async for row in asked} == {came.actor.person_id}
    await answer(platform, survey, [came])
    await surveys.close_survey(platform, opened.officer, opened.id)  # everybody who may has answered


async def test_whoever_has_checked_in_has_reported_and_leaves_by_a_record(
    platform: Platform, wechat: Simulator
) -> None:
    """入学报到 of somebody who was in a session, void or not, is no slip: it is not taken back, nor the row taken off; 退训 is noted."""
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.STRANGER])
    person_id, now = phone.actor.person_id, platform.clock.now() + timedelta(days=28)
    clock_of(platform).set(now)
    await arrival.confirm_arrival(platform, opened.officer, opened.id, person_id, pledge_on_paper=True)
    session = await stage.teaching_session(
        platform, opened, starts_at=now + timedelta(minutes=10), ends_at=now + timedelta(hours=2), hours=2
    )
    scan = Scan(stage.code_of(platform, session), "nonce-1")
    await CheckInDesk(platform).check_in(phone.actor, scan)
    clock_of(platform).set(session.starts_at)
    void = CheckInChange(person_id=person_id, status=Status.VOID, reason="替同事扫的码")
    await changes.change_check_in(platform, opened.officer, opened.id, session.id, void)
    [row] = await arrival.class_arrivals(platform, opened.id)
    assert not row.undoable
    with pytest.raises(ArrivalStands):
        await arrival.undo_arrival(platform, opened.officer, opened.id, person_id, "点错了人")
    never_arrived = {"$set": {"arrived_at": None}}
    await platform["enrolments"].update_one({"person_id": person_id}, never_arrived)
    with pytest.raises(HasCome):
        await roster.remove(
            platform, opened.officer, opened.id, person_id, roster.Reason(reason="不再参加本次培训")
        )
    leaving = roster.Leaving(reason="不再参加本次培训", left_on=beijing_date(now))
    await roster.leave(platform, opened.officer, opened.id, person_id, leaving)


async def test_the_paper_carries_the_discipline_and_the_pledge_too(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.STRANGER])
    sheet = await arrival.my_notice_pdf(platform, phone.actor, opened.id)
    text = "".join(page.extract_text() for page in open_pdf(sheet).pages).replace("\n", "")
    assert all(article in text for article in SUBJECTS)
    assert rules.PLEDGE[:12] in text and cast.STRANGER.name in text
    assert cast.STRANGER.id_number not in text
