"""From an empty platform to a certificate by following 工作台 alone: nobody opens a page but those that it, or the page it led to, offers.

Staff sit at their browsers; teacher and trainee hold their phones and do what 工作台 says is waited for from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.journey import answer_survey, everybody_checks_in, hand_in, teacher_grades
from scripts.visitors import Phone
from server import jobs
from server.accounts import totp
from server.accounts.fictional import make_person, roster_of
from server.kernel import runs
from server.kernel.clock import BEIJING, FixedClock
from server.kernel.schedule import stops
from tests import cast, stage
from tests.browser.conftest import WIDE, new_context
from tests.browser.live import LiveSite

pytestmark = pytest.mark.browser
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TITLE = "机械类三级教师培训班（第 1 期）"
HOURS = "8"
FIRST_DAY = datetime(2026, 3, 23, 8, 30, tzinfo=BEIJING)
TEACHER, TRAINEE = make_person(7001), make_person(7002)


Act = tuple[str, Callable[["Office", Page], None]]
"""What a line must say, and what is done about it."""


@dataclass
class Office:
    """Somebody at a desk. `secret`: of the authenticator app, once there is one."""

    site: str
    live: LiveSite
    context: BrowserContext
    username: str
    password: str
    secret: str = ""
    acts: Sequence[Act] = ()
    seen: set[tuple[datetime, str]] = field(default_factory=set)
    """What was followed at this moment already: a line that stands as long as a session lasts is followed once."""
    told: dict[str, str] = field(default_factory=dict)
    """Username → first password, which the centre hands over on paper."""

    def __post_init__(self) -> None:
        self.page = self.context.new_page()

    def desk(self) -> Page:
        """工作台, after a log-in where the last one has run out."""
        self.page.goto(f"{self.site}/admin")
        if "/admin/login" in self.page.url:
            self._log_in()
        if self.page.url.endswith("/admin/password"):
            self._change_first_password()
        if self.page.url.endswith("/admin/second-factor"):
            self._enrol()
        return self.page

    def _log_in(self) -> None:
        self.page.get_by_label("用户名").fill(self.username)
        self.page.locator("#field-password").fill(self.password)
        self.page.get_by_role("button", name="登录").click()
        if self.secret:
            self.page.locator("#field-code").fill(self._code())
            self.page.get_by_role("button", name="登录").click()
        self.page.wait_for_url(re.compile("/admin$|/admin/(password|second-factor)$"))

    def _change_first_password(self) -> None:
        own = f"{self.password}-own"
        self.page.locator("#field-current").fill(self.password)
        for name in ("new", "again"):
            self.page.locator(f"#field-{name}").fill(own)
        self.page.get_by_role("button", name="保存新密码").click()
        self.page.wait_for_url(re.compile("/admin$|/admin/second-factor$"))
        self.password = own

    def _enrol(self) -> None:
        self.page.locator("#field-password").fill(self.password)
        self.page.get_by_role("button", name="开始设置").click()
        self.secret = self.page.locator("[data-key]").get_attribute("data-key") or ""
        self.page.locator("#field-code").fill(self._code())
        self.page.get_by_role("button", name="开通").click()
        self.page.goto(f"{self.site}/admin")

    def _code(self) -> str:
        return totp.code_at(self.secret, totp.step_at(self.live.platform.machine.now()))

    def does_something(self) -> bool:
        """Follows the first line of 等我办理, or the first step of a new platform, that somebody here knows how to do."""
        page = self.desk()
        for line in page.locator(".first-steps li:not(.is-done):has(a), #mine tbody tr:has(a)").all():
            words = " ".join(line.inner_text().split())
            once = (self.live.platform.clock.now(), words)
            act = next((act for pattern, act in self.acts if re.search(pattern, words)), None)
            if act and once not in self.seen:
                self.seen.add(once)
                line.get_by_role("link").last.click()
                act(self, page)
                return True
        return False

    def waited_for(self) -> list[str]:
        """What 等别人办理 says, a line each."""
        return self.desk().locator("#elsewhere tbody tr").all_inner_texts()


def choose(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).select_option(value)


def confirm(page: Page, button: str, done: str, **fields: str) -> None:
    """Presses a button that asks back, fills in what the dialog wants and says yes."""
    page.get_by_role("button", name=button).first.click()
    dialog = page.get_by_role("alertdialog")
    for label, text in fields.items():
        dialog.get_by_label(label).fill(text)
    dialog.locator("button[type=submit]").click()
    expect(page.get_by_text(done).first).to_be_visible()


# ---- the centre


def allocate_accounts(centre: Office, page: Page) -> None:
    for username, name, role, place in (
        ("hebei", "冀试新", "PROVINCE", ("province_code", "13")),
        ("xingtai", "邢试新", "TRAINING_BASE", ("institution_code", "009")),
    ):
        page.get_by_role("main").get_by_role("link", name="分配账号").click()
        page.locator("#field-username").fill(username)
        page.locator("#field-name").fill(name)
        page.locator("#field-role").select_option(role)
        page.locator(f"#field-{place[0]}").select_option(place[1])
        page.get_by_role("button", name="分配账号").click()
        first = page.locator(".first-password").inner_text()
        page.get_by_role("link", name="已记下，返回").click()
        centre.told[username] = first


def register_teacher(centre: Office, page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name="登记").first.click()
    page.locator("#field-name").fill(TEACHER.name)
    page.locator("#field-id_number").fill(TEACHER.id_number)
    page.locator("#field-work_unit").fill("示例市技师学院")
    page.locator("#field-phone").fill(TEACHER.phone)
    page.locator("#field-province_code").select_option("13")
    page.get_by_label("01 机械类").check()
    page.get_by_label("平台建立以前的培训证明").check()
    page.get_by_label("证明编号或文号").fill("人社培试〔2022〕7 号")
    page.get_by_label("证明日期").fill("2022-12-20")
    page.get_by_role("button", name="登记入库").click()
    expect(page.get_by_text("入库。")).to_be_visible()


def set_hours(centre: Office, page: Page) -> None:
    """Eight hours will do in this story."""
    page.get_by_role("link", name="三级教师培训课时下限").first.click()
    page.get_by_label("新的数值").fill(HOURS)
    page.get_by_label("理由").fill("按新培训标准")
    page.get_by_role("button", name="核定").click()
    expect(page.get_by_text("已核定").first).to_be_visible()


OF_CENTRE: list[Act] = [
    ("分配用户账号", allocate_accounts),
    ("登记骨干教师", register_teacher),
    ("核定平台政策", set_hours),
]


# ---- the institution and its province


def plan(office: Office, page: Page) -> None:
    page.get_by_role("link", name=re.compile("编制 2026 年计划")).first.click()
    first = page.locator(".repeat-row").first
    for name, value in (("title", TITLE), ("places", "30"), ("class_hours", HOURS), ("budget_fen", "96000")):
        first.locator(f"[name=item_{name}]").fill(value)
    for name, value in (("level", "3"), ("major", "01"), ("month", "3")):
        first.locator(f"[name=item_{name}]").select_option(value)
    page.get_by_role("button", name="保存").click()
    file_plan(office, page)


def file_plan(office: Office, page: Page) -> None:
    confirm(page, "报送审核", "已报送")


def approve(office: Office, page: Page) -> None:
    confirm(page, "批准", "已批准")


def apply(office: Office, page: Page) -> None:
    form, way = page.locator("#field-name"), page.get_by_role("link", name=f"为{TITLE}申请开班")
    expect(form.or_(way).first).to_be_visible()
    if way.count():
        way.first.click()
    form.fill(TITLE)
    for name, value in (("starts_on", "2026-03-23"), ("ends_on", "2026-03-23"), ("places", "30")):
        page.locator(f"#field-{name}").fill(value)
    page.locator("#field-class_hours").fill(HOURS)
    for box in page.locator("[name=courses][type=checkbox]").all():
        box.set_checked(box.get_attribute("value") == "工学一体化课程教学实施")
    page.locator("#field-venue_name").fill("本校实训楼 301")
    page.locator("#field-venue_address").fill("河北省邢台市信都区示例路 1 号")
    page.locator("#field-venue_stars").select_option("0")
    page.get_by_role("button", name="报送审核").click()
    expect(page.get_by_text("已报送").first).to_be_visible()


def invite(office: Office, page: Page) -> None:
    page.get_by_role("checkbox", name=re.compile(TEACHER.name)).check()
    page.get_by_role("button", name="发出邀请函").click()
    expect(page.get_by_text("已向").first).to_be_visible()


def enrol(office: Office, page: Page) -> None:
    """By a roster: the page of the class leads to it."""
    page.get_by_role("link", name="名册", exact=True).first.click()
    field = page.get_by_label("名册文件（.xlsx）")
    field.set_input_files({"name": "名册.xlsx", "mimeType": XLSX, "buffer": roster_of([TRAINEE])})
    page.get_by_role("button", name="上传并检查").click()
    page.get_by_role("button", name="确认导入 1 人").click()
    expect(page.get_by_text("已导入 1 名学员")).to_be_visible()


def draft_scheme(office: Office, page: Page) -> None:
    page.get_by_role("link", name="起草方案").first.click()
    page.locator("[name=objectives]").fill("能独立实施一门工学一体化课程的教学与考核。")
    page.locator("[name=places]").fill("实训楼 301，数控车床 20 台")
    page.locator("[name=materials]").fill("《工学一体化课程教学实施》讲义")
    course = page.locator(".scheme-row-course[data-row]").first
    course.locator("[name=course_title]").fill("工学一体化课程教学实施")
    course.locator("[name=course_hours]").fill(HOURS)
    course.locator("[name=course_teacher_id]").select_option(index=1)
    page.get_by_role("button", name="生成课表").click()
    expect(page.get_by_text("已排 2 个课次").first).to_be_visible()
    tasks = page.locator("[data-section=tasks]")
    for number, (title, kind) in enumerate((("教学设计", "FORMATIVE"), ("示范课", "SUMMATIVE"))):
        task = tasks.locator(".scheme-row-task").nth(number)
        if not task.count():
            tasks.get_by_role("button", name="添加任务").click()
        task.locator("[name=task_title]").fill(title)
        task.locator("[name=task_kind]").select_option(kind)
        task.locator("[name=task_deadline]").fill("2026-03-23T20:00")
        task.locator("[name=task_assessor_id]").select_option(index=1)
        task.locator("[name=criterion_title]").first.fill("任务分析")
        task.locator("[name=criterion_points]").first.fill("100")
        task.locator("[name=task_instructions]").fill("结合本校的一个学习任务完成。")
    page.get_by_role("button", name="保存并送教师签署").click()
    expect(page.get_by_text("教师签署中").first).to_be_visible()


def file_scheme(office: Office, page: Page) -> None:
    confirm(page, "报送省级审核", "已报送")


def approve_scheme(office: Office, page: Page) -> None:
    confirm(page, "审核通过", "审核通过")


def receive(office: Office, page: Page) -> None:
    page.get_by_label("学员", exact=True).fill(TRAINEE.name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="办理报到").first.click()
    expect(page.get_by_text("已报到 1 / 1")).to_be_visible()


def look(office: Office, page: Page) -> None:
    """What is for others to do: the session is held by the teacher's phone and the trainee's."""
    expect(page.get_by_role("main")).to_be_visible()


def release(office: Office, page: Page) -> None:
    confirm(page, "公布成绩", "已公布", 请输入=TITLE)


def issue(office: Office, page: Page) -> None:
    confirm(page, "核发 1 张证书", "已核发")


OF_INSTITUTION: list[Act] = [
    ("编制年度培训计划", plan),
    ("申请开班", apply),
    ("还没有人接受邀请", invite),
    ("没有导入参训教师名册", enrol),
    ("起草培训方案(?!.*还不能办)", draft_scheme),
    ("教师已签齐", file_scheme),
    ("办理报到", receive),
    ("上课：", look),
    ("公布成绩(?!.*还不能办)", release),
    ("核发证书", issue),
]
OF_PROVINCE: list[Act] = [
    ("年度培训计划|待审核的培训计划", approve),
    ("开班申请", approve),
    ("培训方案", approve_scheme),
]


# ---- the phones


@dataclass
class Phones:
    """The teacher's and the trainee's, who do what is waited for from them."""

    live: LiveSite
    teacher: Phone
    trainee: Phone
    class_id: str = ""

    def do(self, line: str) -> bool:
        """Whether there was anything to do about a line of 等别人办理."""
        for pattern, act in (
            ("答复", self.accept),
            ("签署培训方案", self.sign),
            ("批阅", lambda: teacher_grades(self.teacher, self.class_id)),
            ("满意度", lambda: answer_survey(self.trainee, self.class_id)),
        ):
            if pattern in line:
                self.live.do(act())
                return True
        return False

    async def accept(self) -> None:
        await self.teacher.log_in()
        await self.teacher.bind_real_name()
        for letter in (await self.teacher.call("GET", "/teaching/invitations"))["items"]:
            self.class_id = letter["class_id"]
            await self.teacher.call("POST", f"/teaching/invitations/{letter['id']}/accept")

    async def sign(self) -> None:
        path = f"/teaching/classes/{self.class_id}/scheme"
        version = (await self.teacher.call("GET", path))["version"]
        await self.teacher.call("POST", f"{path}/signature", 201, json={"version": version})

    async def arrive(self) -> None:
        await self.trainee.log_in()
        await self.trainee.bind_real_name()
        notice = await self.trainee.call("POST", f"/classes/{self.class_id}/admission-notice/open", json={})
        signed = {"text_version": notice["text_version"]}
        await self.trainee.call("POST", f"/classes/{self.class_id}/admission-notice/pledge", json=signed)

    async def attend(self, number: int) -> None:
        """The session of this number, from the code on the teacher's phone."""
        listed = await self.teacher.call("GET", f"/teaching/classes/{self.class_id}/sessions")
        await everybody_checks_in(self.teacher, [self.trainee], listed["items"][number]["id"])

    async def hand_in(self) -> None:
        for kind in ("FORMATIVE", "SUMMATIVE"):
            await hand_in(self.trainee, self.class_id, kind)


async def live_on(live: LiveSite, clock: FixedClock, to: datetime) -> None:
    """Time goes by, with the work of every day between."""
    for stop in stops(jobs.JOBS, clock.now(), to):
        clock.set(stop.moment)
        for job in stop.jobs:
            await runs.see_to(live.platform, job, job.due_slot(stop.moment), "the desk")


# ---- the story


def test_a_class_is_led_from_an_empty_platform_to_its_certificate(
    live: LiveSite, demonstrated: str, browser: Browser, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.platform.limiter, "hit", never_too_often)
    live.do(stage.sign_up(live.platform, cast.CENTRE))
    centre = Office(demonstrated, live, new_context(browser, WIDE), "centre", cast.CENTRE.password)
    centre.secret, centre.acts = stage.secret_of(cast.CENTRE), OF_CENTRE
    while centre.does_something():
        pass
    offices = [
        Office(demonstrated, live, new_context(browser, WIDE), name, centre.told[name], acts=acts)
        for name, acts in (("xingtai", OF_INSTITUTION), ("hebei", OF_PROVINCE))
    ]
    phones = Phones(live, Phone(demonstrated, "teacher", TEACHER), Phone(demonstrated, "trainee", TRAINEE))

    def until_nothing_waits() -> None:
        more = True
        while more:
            at_desks = [one.does_something() for one in offices]
            more = any(at_desks + [phones.do(line) for line in offices[0].waited_for()])

    until_nothing_waits()
    live.do(phones.arrive())
    live.do(live_on(live, clock, FIRST_DAY - timedelta(minutes=30)))
    until_nothing_waits()
    for number, begins in enumerate((FIRST_DAY, FIRST_DAY.replace(hour=14, minute=0))):
        live.do(live_on(live, clock, begins - timedelta(minutes=5)))
        until_nothing_waits()
        live.do(phones.attend(number))
    live.do(live_on(live, clock, FIRST_DAY.replace(hour=17, minute=40)))
    live.do(phones.hand_in())
    mine: list[dict[str, Any]] = []
    for days in range(1, 8):
        live.do(live_on(live, clock, FIRST_DAY + timedelta(days=days)))
        until_nothing_waits()
        if mine := live.do(phones.trainee.call("GET", "/certificates"))["items"]:
            break
    assert [one["name"] for one in mine] == [TRAINEE.name]
    assert live.do(failed_runs(live)) == []
    for one in (centre, *offices):
        expect(one.desk().locator("#mine")).to_contain_text("没有等您办理的事")
        one.context.close()


async def failed_runs(live: LiveSite) -> list[dict[str, Any]]:
    return await live.platform["job_runs"].find({"error": {"$nin": [None, ""]}}).to_list(None)


async def never_too_often(*_: str, **__: int) -> None:
    """Seven people live through a fortnight in a minute."""
