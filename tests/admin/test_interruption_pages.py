"""The pages of classes that do not run as planned, over HTTP: what an institution asks, what its province decides, and 补课."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.attendance import rolls
from server.attendance.documents import TeachingSession
from server.attendance.rolls import LateRegistration
from server.classes import service as classes
from server.classes.rules import Condition
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, Form, sign_in
from tests.stage import ClassInSession

WHY: Form = {"ground": "FORCE_MAJEURE", "reason": "台风登陆，当地停课。"}


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat)


@pytest.fixture
async def session(platform: Platform, opened: ClassInSession) -> TeachingSession:
    """This afternoon from two to five, on 16 March."""
    starts = platform.clock.now() + timedelta(hours=2)
    return await stage.teaching_session(
        platform, opened, title="第 1 天下午", starts_at=starts, ends_at=starts + timedelta(hours=3)
    )


@pytest.fixture
async def mine(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


@pytest.fixture
async def province(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.HEBEI_OFFICER)


async def test_a_suspension_is_asked_for_approved_and_read_in_plain_words(
    platform: Platform,
    clock: FixedClock,
    opened: ClassInSession,
    session: TeachingSession,
    mine: Browser,
    province: Browser,
) -> None:
    home = f"/admin/classes/{opened.id}"
    overview = await mine.get(home)
    assert "申请暂停" in overview.text and "取消开班" in overview.text
    form = await mine.get(f"{home}/changes/suspend")
    assert "第 1 天下午" in form.text and f'name="move-{session.id}"' in form.html
    typed = {**WHY, "first": "2026-03-16", "last": "2026-03-18", "ends_on": "2026-03-30"}
    wrong = await mine.post(f"{home}/changes/suspend", {**typed, "ends_on": "2026-03-20"})
    assert wrong.status == 422 and "不能早于现在的结束日期" in wrong.text and "台风登陆" in wrong.html
    wrong = await mine.post(f"{home}/changes/suspend", {**typed, f"move-{session.id}": "周一"})
    assert wrong.status == 422 and "课次的新时间" in wrong.text
    sent = await mine.post(f"{home}/changes/suspend", {**typed, f"move-{session.id}": "2026-03-30T09:00"})
    assert sent.status == 303
    assert "待审核的培训班变更" in (await province.get("/admin")).text
    assert opened.training_class.name in (await province.get("/admin/changes?state=SUBMITTED")).text
    one = await province.get(sent.location)
    assert "2026-03-16 至 2026-03-18 暂停，改至 2026-03-30 结束" in one.text
    assert "2026-03-30 09:00" in one.text
    done = await province.post(f"{sent.location}/approve", {"seen": "1"})
    assert done.status == 303
    assert "已批准" in (await province.get(sent.location)).text
    clock.set(session.starts_at)
    overview = await mine.get(home)
    assert "本班暂停：2026-03-16 至 2026-03-18" in overview.text
    assert "暂停" in (await mine.get("/admin/classes")).text
    assert (await province.get("/admin/changes/export")).status == 200
    again = await province.post(f"{sent.location}/approve", {"seen": "2"})
    assert again.status == 409


async def test_an_approved_change_is_undone_at_the_institutions_request(
    opened: ClassInSession, mine: Browser, province: Browser
) -> None:
    home = f"/admin/classes/{opened.id}/changes"
    sent = await mine.post(f"{home}/postpone", {**WHY, "starts_on": "2026-03-16", "ends_on": "2026-04-03"})
    assert "培训机构可以再申请撤销" in (await province.get(sent.location)).html
    await province.post(f"{sent.location}/approve", {"seen": "1"})
    assert "申请撤销" in (await mine.get(sent.location)).text
    assert "申请撤销" not in (await province.get(sent.location)).text
    silent = await mine.post(f"{sent.location}/revoke", {"seen": "2", "reason": ""})
    assert silent.status == 422 and "申请撤销" in silent.text
    asked = await mine.post(f"{sent.location}/revoke", {"seen": "2", "reason": "台风已经绕过，照常上课。"})
    assert asked.status == 303 and asked.location != sent.location
    seen = await province.get(asked.location)
    assert "撤销变更" in seen.text and "仍为 2026-03-16 至 2026-03-27" in seen.text
    assert (await province.post(f"{asked.location}/approve", {"seen": "1"})).status == 303
    assert "批准后撤销" in (await mine.get(sent.location)).text
    assert "2026-03-27" in (await mine.get(f"/admin/classes/{opened.id}")).text


async def test_a_returned_request_says_why_and_gives_way_to_the_next(
    opened: ClassInSession, mine: Browser, province: Browser
) -> None:
    home = f"/admin/classes/{opened.id}/changes"
    typed = {**WHY, "starts_on": "2026-03-16", "ends_on": "2026-04-03"}
    sent = await mine.post(f"{home}/postpone", typed)
    twice = await mine.post(f"{home}/postpone", typed)
    assert twice.status == 409 and "一次只办理一件变更" in twice.text
    short = await province.post(f"{sent.location}/return", {"seen": "1", "reason": "短"})
    assert short.status == 422
    await province.post(f"{sent.location}/return", {"seen": "1", "reason": "请写明补课的安排。"})
    assert "请写明补课的安排。" in (await mine.get(f"{home}/postpone")).text
    assert "被退回的培训班变更" in (await mine.get("/admin")).text
    again = await mine.post(f"{home}/postpone", typed)
    assert again.status == 303
    withdrawn = await mine.post(f"{again.location}/withdraw", {"seen": "1"})
    assert withdrawn.status == 303
    assert "已撤回" in (await mine.get("/admin/changes")).text


async def test_a_class_is_called_off_by_its_name_and_says_so_ever_after(
    platform: Platform, opened: ClassInSession, session: TeachingSession, mine: Browser
) -> None:
    home = f"/admin/classes/{opened.id}"
    form = await mine.get(f"{home}/changes/call-off")
    assert "2 名学员退出本班" in form.text
    wrong = await mine.post(f"{home}/changes/call-off", {**WHY, "typed": "不是这个班"})
    assert wrong.status == 422 and opened.training_class.name in wrong.text
    done = await mine.post(f"{home}/changes/call-off", {**WHY, "typed": opened.training_class.name})
    assert done.status == 303
    overview = await mine.get(home)
    assert "本班已取消" in overview.text and "台风登陆" in overview.text and "取消开班" in overview.text
    for page in ("/roster", "/sessions", "/results", "/certificates", "/invitations", "/tasks", "/enrolment"):
        assert (await mine.get(f"{home}{page}")).status == 200
    assert "已取消" in (await mine.get("/admin/classes?stage=FINISHED")).text
    found = await classes.get_class(platform, opened.officer, opened.id)
    assert found.condition is Condition.CALLED_OFF


async def test_what_cannot_be_asked_for_says_why_and_shows_no_form(
    clock: FixedClock, opened: ClassInSession, session: TeachingSession, mine: Browser
) -> None:
    home = f"/admin/classes/{opened.id}/changes"
    for kind, why in (("terminate", "还没有开课"), ("call-off", "请申请终止培训")):
        page = await mine.get(f"{home}/{kind}")
        assert why in page.text and 'name="reason"' not in page.html
        clock.set(session.ends_at)
    assert (await mine.post(f"{home}/terminate", WHY)).status == 303
    page = await mine.get(f"{home}/suspend")
    assert "有一件变更正在办理" in page.text and 'name="reason"' not in page.html


async def test_people_go_to_a_later_class_with_what_they_held(
    platform: Platform,
    clock: FixedClock,
    opened: ClassInSession,
    session: TeachingSession,
    mine: Browser,
    province: Browser,
) -> None:
    draft = stage.class_draft(
        name="2026年5月三级教师培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)
    )
    later = await stage.open_class(platform, opened.officer, draft)
    registered = LateRegistration(person_id=opened.trainees[0].actor.id, reason="手机没电，现场核对身份")
    clock.set(session.starts_at + timedelta(hours=1))
    await rolls.register_late(platform, opened.officer, opened.id, session.id, registered)
    clock.set(session.ends_at + timedelta(minutes=10))
    home = f"/admin/classes/{opened.id}/changes/transfer"
    form = await mine.get(home)
    assert later.name in form.text and opened.trainees[0].actor.name in form.text
    nowhere = await mine.post(home, {**WHY, "person_ids": [one.actor.id for one in opened.trainees]})
    assert nowhere.status == 422 and "请选择转入的培训班" in nowhere.text
    typed = {**WHY, "class_id": later.id, "person_ids": [one.actor.id for one in opened.trainees]}
    sent = await mine.post(home, typed)
    assert sent.status == 303
    assert (await province.post(f"{sent.location}/approve", {"seen": "1"})).status == 303
    assert "本班已终止" in (await mine.get(f"/admin/classes/{opened.id}")).text
    assert len(await classes.trainees(platform, later.id)) == 2
    credited = await mine.get(f"/admin/classes/{later.id}/make-ups")
    assert "转班计入" in credited.text
    [void] = [link for link in credited.html.split('"') if link.endswith("/void")]
    assert opened.training_class.name in (await mine.get(void)).text
    assert (await mine.post(void, {"reason": "应计入另一个班"})).status == 303
    assert "应计入另一个班" in (await mine.get(f"/admin/classes/{later.id}/make-ups")).text


async def test_hours_that_were_made_up_are_recorded_shown_on_the_roll_and_taken_back(
    platform: Platform, clock: FixedClock, opened: ClassInSession, session: TeachingSession, mine: Browser
) -> None:
    home = f"/admin/classes/{opened.id}/make-ups"
    clock.set(session.ends_at + timedelta(minutes=10))
    await stage.come(platform, opened.id, opened.trainees[1])
    person = opened.trainees[0].actor
    empty = await mine.get(home)
    assert "还没有补课记录" in empty.text and f"{person.name}（" in empty.text and "缺 4 课时" in empty.text
    typed: dict[str, str] = {
        "person_id": person.id,
        "hours": "5",
        "held_on": "2026-03-16",
        "taught": "补上上午的课程",
        "taught_by": cast.BACKBONE_TEACHER.name,
    }
    much = await mine.post(home, typed)
    assert much.status == 409 and "还缺 4 课时" in much.text and "补上上午的课程" in much.html
    assert (await mine.post(home, typed | {"hours": "3"})).status == 303
    shown = await mine.get(home)
    assert "补上上午的课程" in shown.text and "缺 1 课时" in shown.text
    roll = await mine.get(f"/admin/classes/{opened.id}/sessions/{session.id}")
    assert "本班补课 3 课时" in roll.text
    [void] = [
        part.split('"')[0] for part in shown.html.split('href="') if part.split('"')[0].endswith("/void")
    ]
    assert "撤销后不再计入课时" in (await mine.get(void)).text
    assert (await mine.post(void, {"reason": ""})).status == 422
    assert (await mine.post(void, {"reason": "登记错了人"})).status == 303
    assert "登记错了人" in (await mine.get(home)).text and "缺 4 课时" in (await mine.get(home)).text


async def test_an_institution_is_asked_to_take_people_in_and_sees_only_that(
    platform: Platform, site: str, opened: ClassInSession, mine: Browser, province: Browser
) -> None:
    host = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    draft = stage.class_draft(
        name="扬州2026年5月三级教师培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)
    )
    later = await stage.open_class(platform, stage.actor(cast.YANGZHOU_OFFICER), draft)
    await stage.teaching_session(
        platform, opened, starts_at=platform.clock.now(), ends_at=platform.clock.now() + timedelta(hours=3)
    )
    ids = [one.actor.id for one in opened.trainees]
    home = f"/admin/classes/{opened.id}/changes/transfer"
    form = await mine.get(home)
    assert "江苏省扬州技师学院" in form.text and later.name not in form.text and "24 位" not in form.text
    form = await mine.get(f"{home}?institution={later.institution_code}")
    assert f"{later.name}（2026-05-11 至 2026-05-22）" in form.text and later.place not in form.text
    wrong = await mine.post(f"{home}?institution={later.institution_code}", {**WHY, "person_ids": ids})
    assert wrong.status == 422 and later.name in wrong.text, "the institution stays chosen"
    sent = await mine.post(home, {**WHY, "class_id": later.id, "person_ids": ids})
    assert "请求转入本单位培训班的学员" in (await host.get("/admin")).text
    assert (await mine.post(f"{sent.location}/accept", {"seen": "1"})).status == 404  # not theirs to answer
    one = await host.get(sent.location)
    assert "同意接收" in one.text and opened.trainees[0].actor.name in one.text
    assert (await host.get(f"/admin/classes/{opened.id}")).status == 404
    assert (await host.post(f"{sent.location}/accept", {"seen": "1"})).status == 303
    assert (await host.post(f"{sent.location}/withdraw", {"seen": "2"})).status == 404
    assert "待省级审核" in (await province.get(sent.location)).text
