"""工作台: what waits for whom over the whole of a reach, what is told to the superior, and 催办."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from server.accounts.fictional import roster_of
from server.admissions import roster
from server.admissions.roster import Entry
from server.applications import service as applications
from server.applications.service import Approval
from server.assessment import service as assessment
from server.assessment.rules import TaskKind
from server.attendance import service as attendance
from server.classes import going_store, roster_import
from server.classes import service as classes
from server.classes.enrolment import ClassOver
from server.interruptions import service as interruptions
from server.interruptions.requests import CallOff
from server.kernel import audit
from server.kernel.clock import BEIJING, FixedClock, beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import Actor, Jurisdiction
from server.kernel.mongo import new_id
from server.kernel.offices import Topic
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.plans import service as plans
from server.plans.service import PlanDraft
from server.progress import desk, lines, overdue, urging
from server.progress import service as progress
from server.progress.desk import Desk, Line
from server.progress.known import Owner
from server.progress.lines import LineFilter, Place
from server.progress.urging import AlreadyUrged, NothingToUrge, OwnStep, TooEarlyToUrge, Urge
from server.wechat.simulator import Simulator
from tests import assessing, cast, planning, stage
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, YANGZHOU


async def at(platform: Platform, actor: Actor) -> Desk:
    return await desk.desk(platform, actor)


def named(lines: list[Line], words: str) -> Line:
    [line] = [one for one in lines if words in one.title]
    return line


def at_midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING)


async def test_a_plan_waits_by_name_with_its_day_for_one_office_and_is_seen_by_who_waits_for_it(
    platform: Platform, clock: FixedClock
) -> None:
    plan = await planning.submitted(platform)
    today = beijing_date(clock.now())
    [mine] = (await at(platform, HEBEI)).mine
    assert plan.name in mine.title and mine.url == f"/admin/plans/{plan.id}"
    assert (mine.since, mine.due, mine.overdue) == (today, today + timedelta(days=5), False)
    theirs = named((await at(platform, XINGTAI)).elsewhere, plan.name)
    assert (theirs.owner, theirs.who) == (Owner.PROVINCE, "河北省级管理部门")
    for other in (JIANGSU, YANGZHOU):
        seen = await at(platform, other)
        assert seen.mine == seen.elsewhere == seen.late == []

    await plans.send_back(platform, HEBEI, plan.id, Return(seen=len(plan.history), reason="人数偏多。"))
    returned = named((await at(platform, XINGTAI)).mine, "被退回的培训计划")
    assert returned.url == f"/admin/plans/{plan.id}" and (await at(platform, HEBEI)).mine == []
    assert named((await at(platform, HEBEI)).elsewhere, plan.name).who == "邢台技师学院"


async def test_what_is_long_overdue_is_told_to_the_superior(platform: Platform, clock: FixedClock) -> None:
    plan = await planning.submitted(platform)
    clock.advance(timedelta(days=10))
    assert (await at(platform, HEBEI)).mine[0].overdue and (await at(platform, CENTRE)).late == []
    assert named((await at(platform, CENTRE)).elsewhere, plan.name).overdue
    clock.advance(timedelta(days=1))
    assert named((await at(platform, CENTRE)).late, plan.name).owner is Owner.PROVINCE
    assert (await overdue.tell_superiors(platform), await overdue.tell_superiors(platform)) == (1, 0)
    [told] = await office_inbox.inbox(platform, CENTRE, InboxFilter(Topic.OVERDUE), limit=9)
    assert plan.name in told.words and told.href == "/admin"
    assert (await at(platform, XINGTAI)).late == [], "nobody is below an institution"

    await plans.send_back(platform, HEBEI, plan.id, Return(seen=len(plan.history), reason="人数偏多。"))
    clock.advance(timedelta(days=11))
    assert named((await at(platform, HEBEI)).late, plan.name).owner is Owner.INSTITUTION
    assert (await at(platform, JIANGSU)).late == []


async def test_an_approved_item_waits_until_it_is_applied_for_and_then_for_the_province(
    platform: Platform,
) -> None:
    plan = await planning.approved(platform)
    waits = [one for one in (await at(platform, XINGTAI)).mine if "还没有申请开班" in one.title]
    item = plan.items[0]
    assert len(waits) == len(plan.items) and waits[0].url == f"/admin/plans/{plan.id}/items/{item.id}/apply"
    for superior in (HEBEI, CENTRE):
        owed = named((await at(platform, superior)).elsewhere, item.title)
        assert (owed.who, owed.url, owed.due) == (
            "邢台技师学院",
            f"/admin/plans/{plan.id}",
            date(2026, 3, 29),
        )
    new = await planning.applied(platform, plan)
    assert (
        len([one for one in (await at(platform, XINGTAI)).mine if "还没有申请" in one.title])
        == len(waits) - 1
    )
    assert new.name in (await at(platform, HEBEI)).mine[0].title
    await applications.approve(platform, HEBEI, new.id, Approval(seen=1))
    seen = await at(platform, XINGTAI)
    assert named(seen.mine, "邀请骨干教师承担授课").about == new.name
    assert named(seen.mine, "起草培训方案").blocked_by
    of_class = named((await at(platform, HEBEI)).elsewhere, "邀请骨干教师承担授课")
    assert (of_class.who, of_class.about) == ("邢台技师学院", new.name)
    assert (await at(platform, YANGZHOU)).mine == []


async def test_sessions_that_nobody_came_to_are_said_until_somebody_stands_in_them(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    session = await stage.teaching_session(platform, opened)
    clock.set(session.ends_at + timedelta(minutes=2))
    line = named((await at(platform, opened.officer)).mine, "1 次课没有人签到，4 课时不计入")
    assert line.since == beijing_date(session.ends_at) and "补签" in line.title and "延期" in line.title
    clock.set(at_midnight(opened.training_class.ends_on + timedelta(days=1)))
    release = named((await at(platform, opened.officer)).mine, "核定并公布成绩")
    assert release.blocked_by == "还没有设置学习任务；4 课时没有人签到；还差 76 课时"
    [life] = await attendance.life(platform, opened.officer, opened.training_class)
    assert (life.state, life.detail) == ("current", "1 次课，已完成 0 课时，还差 80 课时")
    await stage.come(platform, opened.id)
    after = await at(platform, opened.officer)
    assert not [one for one in after.mine if "没有人签到" in one.title]
    assert named(after.mine, "核定并公布成绩").blocked_by == "还没有设置学习任务；还差 76 课时"


async def test_the_desk_leads_to_the_release_as_soon_as_the_page_of_results_offers_it(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)

    async def both() -> tuple[bool, bool]:
        shown = await assessment.class_results(platform, opened.officer, opened.id)
        assert shown.assessment is not None
        led = [one for one in (await at(platform, opened.officer)).mine if "核定并公布成绩" in one.title]
        return not shown.assessment.obstacles, bool(led) and led[0].since == beijing_date(
            platform.clock.now()
        )

    [phone] = opened.trainees
    one, two = [await assessing.set_task(platform, opened, kind) for kind in TaskKind]
    first, second = [await assessing.hand_in(platform, phone, task) for task in (one, two)]
    await assessing.grade(platform, opened.teacher, first)
    assert await both() == (False, False), "nothing was held"
    await assessing.attend(platform, opened)
    assert beijing_date(platform.clock.now()) <= opened.training_class.ends_on
    assert await both() == (False, False), "a work is not graded"
    await assessing.grade(platform, opened.teacher, second)
    assert await both() == (True, True)


async def test_a_class_that_died_is_led_to_being_called_off_and_its_roster_is_closed(
    platform: Platform, clock: FixedClock
) -> None:
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    content = roster_of([cast.TRAINEE])
    clock.set(at_midnight(opened.ends_on + timedelta(days=1)) - timedelta(hours=1))
    before = await roster_import.preview_roster(platform, XINGTAI, opened.id, "名册.xlsx", content)
    assert named((await at(platform, XINGTAI)).mine, "名册已上传").since
    clock.advance(timedelta(hours=1))
    typed = Entry.model_validate(
        {"name": cast.TRAINEE.name, "id_number": cast.TRAINEE.id_number, "work_unit": cast.TRAINEE.unit}
    )
    for refused in (
        roster.add(platform, XINGTAI, opened.id, typed),
        roster_import.preview_roster(platform, XINGTAI, opened.id, "名册.xlsx", content),
        roster_import.confirm_roster(platform, XINGTAI, before.id),
    ):
        with pytest.raises(ClassOver, match="申请延期"):
            await refused
    [line] = (await at(platform, XINGTAI)).mine
    assert "没有学员：取消开班" in line.title and line.url.endswith("/changes/call-off")
    for place, found in ((None, 1), (Place.NOT_HELD, 1), (Place.ASSESS, 0)):
        listed = await lines.lines(platform, XINGTAI, LineFilter(place=place))
        assert [one.place for one in listed] == ["未举办"] * found
    [seen] = (await at(platform, HEBEI)).elsewhere
    assert seen.url == f"/admin/classes/{opened.id}", (
        "the province opens the class, and not a form of the institution"
    )
    await interruptions.call_off(
        platform,
        XINGTAI,
        opened.id,
        CallOff.model_validate({"ground": "ENROLMENT", "reason": "没有人报名。", "typed": opened.name}),
    )
    assert (await at(platform, XINGTAI)).mine == []


async def test_an_item_that_nobody_applies_for_is_as_late_here_as_in_the_list_and_is_urged(
    platform: Platform, clock: FixedClock
) -> None:
    next_year = planning.item(month=1, title="来年的培训班")
    plan = await planning.drafted(platform, [next_year], 2027)
    plan = await plans.submit(platform, XINGTAI, plan.id, len(plan.history))
    plan = await plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history)))
    since = beijing_date(clock.now())
    clock.set(datetime(2026, 12, 30, 4, tzinfo=UTC))
    row = await plans.begin(
        platform, XINGTAI, 2027, PlanDraft(items=[*planning.draft_of(plan), planning.item()])
    )
    row = await plans.submit(platform, XINGTAI, row.id, len(row.history))
    row = await plans.approve(platform, HEBEI, row.id, Review(seen=len(row.history)))
    line = named((await at(platform, XINGTAI)).mine, "来年的培训班")
    assert (line.since, line.due, line.overdue) == (since, date(2026, 12, 29), True)
    assert named((await at(platform, XINGTAI)).mine, planning.item().title).since == date(2026, 12, 30)
    listed = await lines.lines(platform, HEBEI, LineFilter(place=Place.PLAN, overdue="yes"))
    assert [(one.step.since, one.step.due) for one in listed if one.step] == [(line.since, line.due)]
    await urging.urge(platform, HEBEI, Urge(item=line.key))
    [words] = await told(platform, XINGTAI)
    assert "河北省级管理部门催办" in words and "来年的培训班" in words
    clock.advance(timedelta(days=5))
    late = named((await at(platform, HEBEI)).late, "来年的培训班")
    assert late.urged and late.urged.times == 1
    await planning.applied(platform, row, starts_on=date(2027, 1, 18), ends_on=date(2027, 1, 29))
    with pytest.raises(NothingToUrge):
        await urging.urge(platform, HEBEI, Urge(item=line.key))


# ---- 催办


async def told(platform: Platform, actor: Actor) -> list[str]:
    found = await office_inbox.inbox(platform, actor, InboxFilter(topic=Topic.URGED), limit=10)
    return [one.words for one in found]


async def test_who_waits_asks_again_once_a_day_and_not_before_its_time(
    platform: Platform, clock: FixedClock
) -> None:
    plan = await planning.submitted(platform)
    again = Urge(item=f"plans:{plan.id}")
    with pytest.raises(TooEarlyToUrge):
        await urging.urge(platform, XINGTAI, again)
    assert not named((await at(platform, XINGTAI)).elsewhere, plan.name).may_be_urged
    clock.advance(timedelta(days=1))
    assert named((await at(platform, XINGTAI)).elsewhere, plan.name).may_be_urged
    await urging.urge(platform, XINGTAI, again)
    with pytest.raises(AlreadyUrged):
        await urging.urge(platform, XINGTAI, again)
    with pytest.raises(AlreadyUrged):
        await urging.urge(platform, CENTRE, again)
    with pytest.raises(OwnStep):
        await urging.urge(platform, HEBEI, again)
    for stranger in (JIANGSU, YANGZHOU):
        with pytest.raises(NotFound):
            await urging.urge(platform, stranger, again)
    [words] = await told(platform, HEBEI)
    assert "邢台技师学院催办" in words and plan.name in words and "已等待 1 天" in words
    assert await told(platform, JIANGSU) == []
    clock.advance(timedelta(days=1))
    await urging.urge(platform, CENTRE, again)
    urged = (await at(platform, HEBEI)).mine[0].urged
    assert urged and (urged.times, urged.last, urged.by) == (2, beijing_date(clock.now()), "部指导中心")
    trail = await audit.of_subject(platform, again.item)
    assert [entry["action"] for entry in trail] == ["progress:urge"] * 2

    await plans.approve(platform, HEBEI, plan.id, Review(seen=len(plan.history)))
    clock.advance(timedelta(days=1))
    with pytest.raises(NothingToUrge):
        await urging.urge(platform, XINGTAI, again)


async def test_what_was_asked_of_one_is_not_told_of_another_and_each_time_that_it_waits_is_late_anew(
    platform: Platform, clock: FixedClock
) -> None:
    plan = await planning.submitted(platform)
    again = Urge(item=f"plans:{plan.id}")
    clock.advance(timedelta(days=11))
    await urging.urge(platform, XINGTAI, again)
    assert await overdue.tell_superiors(platform) == 1
    await plans.send_back(platform, HEBEI, plan.id, Return(seen=len(plan.history), reason="人数偏多。"))
    assert named((await at(platform, XINGTAI)).mine, plan.name).urged is None
    plan = await plans.submit(platform, XINGTAI, plan.id, len(plan.history) + 1)
    clock.advance(timedelta(days=1))
    waits = named((await at(platform, XINGTAI)).elsewhere, plan.name)
    assert waits.urged is None and waits.may_be_urged
    clock.advance(timedelta(days=300))
    assert await overdue.tell_superiors(platform) == 1, "late for the second time, over the turn of the year"
    clock.advance(timedelta(days=3))
    assert await overdue.tell_superiors(platform) == 0


async def test_all_that_is_late_is_told_however_many_are_listed(
    platform: Platform, clock: FixedClock
) -> None:
    plan = await planning.submitted(platform)
    row = await platform["plans"].find_one({"_id": plan.id})
    assert row is not None
    more = [{**row, "_id": new_id(), "institution_code": f"x{number}"} for number in range(12)]
    await platform["plans"].insert_many(more)
    fresh = await at(platform, CENTRE)
    assert (len(fresh.late), len(fresh.elsewhere), sum(one.count for one in fresh.more)) == (0, 10, 3)
    clock.advance(timedelta(days=11))
    seen = await at(platform, CENTRE)
    assert (len(seen.late), seen.elsewhere, seen.more) == (13, [], [])
    assert await overdue.tell_superiors(platform) == 13


async def counted_things(platform: Platform, at: datetime) -> None:
    """Of each kind that is told as a number: two checks and a finding of 邢台, whom 江苏's 扬州 asks to take people in; a phone that
    邢台 is to release, and one that 河北 is."""
    place = {"institution_code": cast.XINGTAI, "province_code": cast.HEBEI}
    check = place | {"open": True, "created_at": at}
    await platform["content_checks"].insert_many([check | {"_id": new_id()} for _ in range(2)])
    await platform["ledger_findings"].insert_one(place | {"_id": new_id(), "open": True, "found_at": at})
    asked = {"institution_code": cast.YANGZHOU, "province_code": "32", "state": "ASKED", "open": True}
    later = {"later": {"institution_code": cast.XINGTAI}}
    await platform["class_changes"].insert_one(
        asked | later | {"_id": new_id(), "class_id": new_id(), "filed_at": at}
    )
    for keeper, code in (("INSTITUTION", cast.XINGTAI), ("PROVINCE", cast.HEBEI)):
        kept = {"keeper": keeper, "keeper_code": code, "province_code": cast.HEBEI}
        row = asked | kept | {"_id": new_id(), "person_id": new_id(), "due_on": beijing_date(at).isoformat()}
        await platform["release_requests"].insert_one(row)


async def test_what_is_told_as_a_number_waits_for_one_office_and_reaches_its_superior(
    platform: Platform, clock: FixedClock
) -> None:
    await counted_things(platform, clock.now())
    released, asked, checks, ledger = (
        "办理解除微信绑定的申请（1）",
        "答复转班补学的请求（1）",
        "查看内容检查的提示（2）",
        "处理台账核查发现不符（1）",
    )
    seen = await at(platform, HEBEI)
    assert {one.title for one in seen.elsewhere} == {released, asked, checks, ledger}
    assert {one.who for one in seen.elsewhere} == {"邢台技师学院"} and seen.late == []
    assert [one.title for one in seen.mine] == ["解除微信绑定的申请，当天办结"]
    assert named(seen.elsewhere, "内容检查").url == "", "whose page the province does not open"
    assert {(one.title, one.who) for one in (await at(platform, YANGZHOU)).elsewhere} == {
        (asked, "邢台技师学院"),
        (released, "邢台技师学院"),
        (released, "河北省级管理部门"),
    }
    assert {one.title for one in (await at(platform, JIANGSU)).elsewhere} == {asked}
    assert (await at(platform, XINGTAI)).elsewhere == []
    clock.advance(timedelta(days=6))
    assert named((await at(platform, CENTRE)).late, "解除微信绑定").who == "河北省级管理部门"
    assert [one.title for one in (await at(platform, HEBEI)).late] == [released]
    clock.advance(timedelta(days=5))
    assert (await at(platform, JIANGSU)).late == [], "邢台 is not its own"
    late = (await at(platform, HEBEI)).late
    assert {one.title for one in late} == {released, asked, checks, ledger}
    assert await overdue.tell_superiors(platform) == 5, "to the province of 邢台, to the centre of 河北"
    line = named(late, "内容检查")
    assert line.due and line.due + timedelta(days=6) == beijing_date(clock.now())
    await urging.urge(platform, HEBEI, Urge(item=line.key))
    [words] = await told(platform, XINGTAI)
    assert checks in words and "已等待 11 天" in words
    for stranger in (JIANGSU, YANGZHOU, XINGTAI):
        with pytest.raises((NotFound, NothingToUrge)):
            await urging.urge(platform, stranger, Urge(item=line.key))
    await platform["content_checks"].update_many({}, {"$set": {"open": False}})
    clock.advance(timedelta(days=1))
    with pytest.raises((NotFound, NothingToUrge)):
        await urging.urge(platform, HEBEI, Urge(item=line.key))


async def test_twenty_works_that_wait_for_a_grade_are_said_and_their_teacher_is_asked(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    await stage.teaching_session(platform, opened)
    task = await assessing.set_task(platform, opened)
    works = [await assessing.hand_in(platform, trainee, task) for trainee in opened.trainees]
    assert not [one for one in (await at(platform, opened.officer)).elsewhere if "批阅" in one.title]
    clock.set(task.deadline + timedelta(days=1))
    line = named((await at(platform, opened.officer)).elsewhere, "批阅 2 份学习成果")
    assert line.owner is Owner.TEACHERS and line.who == cast.BACKBONE_TEACHER.name
    clock.set(task.deadline + timedelta(days=40))
    await stage.come(platform, opened.id)
    for office in (HEBEI, opened.officer):
        seen = await at(platform, office)
        assert ("批阅" in "".join(one.title for one in seen.late)) is (office is HEBEI)
    await urging.urge(platform, HEBEI, Urge(item=line.key))
    [message] = [row async for row in platform["outbox"].find({"template": "work-urged"})]
    assert message["person_id"] == opened.teacher.actor.id
    assert message["data"] == {
        "class_name": line.about,
        "by": "河北省级管理部门",
        "owed": "批阅 2 份学习成果",
    }
    for work in works:
        await assessing.grade(platform, opened.teacher, work)
    clock.advance(timedelta(days=1))
    with pytest.raises(NothingToUrge):
        await urging.urge(platform, HEBEI, Urge(item=line.key))


# ---- however many classes there are


class Counting:
    """A platform that counts which collections are asked."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.asked: Counter[str] = Counter()
        self.session = None

    def __getitem__(self, collection: str) -> Any:
        self.asked[collection] += 1
        return self.platform[collection]


async def test_steps_of_many_classes_cost_as_many_queries_as_those_of_one(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat)
    for _ in range(3):
        await stage.open_class(platform, held.officer, stage.class_draft())
    found = await classes.unreleased_in(platform, held.officer)
    assert len(found) == 4
    costs = []
    for some in ([one for one in found if one.id == held.id], found):
        counting = Counting(platform)
        steps = await progress.steps_of(counting, held.officer, some)
        assert set(steps) == {one.id for one in some}
        costs.append(counting.asked)
    assert costs[0] == costs[1] and costs[0].total() < 40


async def test_what_is_read_does_not_grow_with_the_classes_that_are_over(platform: Platform) -> None:
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    row = await platform["classes"].find_one({"_id": opened.id})
    assert row is not None
    old = {
        "ends_on": date(2025, 3, 1).isoformat(),
        "results_released_at": platform.clock.now() - timedelta(days=600),
    }
    await platform["classes"].insert_many([{**row, **old, "_id": new_id()} for _ in range(200)])
    gone = {"condition": "CALLED_OFF", "results_released_at": None}
    await platform["classes"].insert_many([{**row, **gone, "_id": new_id()} for _ in range(200)])
    for reach in (
        Jurisdiction.everything(),
        Jurisdiction.of_province(cast.HEBEI),
        Jurisdiction.of_institution(cast.XINGTAI),
    ):
        [found] = await going_store.unreleased_in(platform, reach, limit=100)
        assert found.id == opened.id
        for sort, condition in (
            (("ends_on", 1), {"results_released_at": None}),
            (("results_released_at", -1), {"results_released_at": {"$gte": platform.clock.now()}}),
        ):
            sought = {**reach.filter(), **going_store.GOING, **condition}
            cursor = platform["classes"].find(sought).sort([sort]).limit(100)
            plan = await cursor.explain()
            assert plan["executionStats"]["totalDocsExamined"] <= 1
            assert "'stage': 'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
