"""The pages of sessions and the classroom screen in a real browser; the screen against a running server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from admin.handlers import attendance as pages
from admin.lists import named
from admin.options import WEEKDAYS
from server.attendance import naming, rules
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import CheckIn, Geofence, RefusedScan, Source, TeacherChange, TeachingSession
from server.attendance.rolls import Roll, RollEntry
from server.attendance.rules import Datum, Flag, HalfDay, Status, Verdict, Window
from server.attendance.service import SessionRow, SessionsOfClass
from server.classes.documents import Enrolment, TrainingClass
from server.institutions.rules import Level
from server.kernel.clock import FixedClock
from server.kernel.history import Step
from server.venues.documents import PlaceCheck
from server.venues.rules import State, place_flags
from tests import cast, stage
from tests.admin.front_end import allowed, layout_context, show
from tests.browser.conftest import assert_accessible, assert_fits, assert_looks_right
from tests.browser.live import LiveSite
from tests.stage import ClassInSession

pytestmark = pytest.mark.browser

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
PLACE: dict[str, str] = {"institution_code": "009", "province_code": "13"}
CLASS = TrainingClass(
    **PLACE,
    institution_name="邢台技师学院",
    name="2026年11月机械类三级教师培训班",
    level=Level.THREE,
    major="01",
    courses=["工学一体化课程教学实施", "教学场所使用管理"],
    class_hours=80,
    starts_on=date(2026, 11, 20),
    ends_on=date(2026, 11, 30),
    place="实训楼 301",
    opened_at=NOON,
)
NO_ERRORS: dict[str, Any] = {"problem": None, "errors": {}, "values": {}, "wrong": ""}
REFUSED = SimpleNamespace(status=422, slug="invalid", title="填写的内容有误", detail="请按提示改正后再提交。")


def session(title: str, starts_at: datetime, **changes: Any) -> TeachingSession:
    times = rules.usual_times(starts_at, starts_at + timedelta(hours=3))
    return TeachingSession(
        **PLACE,
        **vars(times),
        class_id=CLASS.id,
        title=title,
        course="工学一体化课程教学实施",
        place="实训楼 301",
        hours=4,
        code_step_seconds=5,
        code_grace_seconds=2,
        created_at=NOON,
        **changes,
    )


FENCE = Geofence(latitude=37.0689, longitude=114.5048, datum=Datum.GCJ_02, radius_m=150)
OVER = session("第 4 天下午", NOON - timedelta(hours=20))
NOW = session("第 5 天上午", NOON, geofence=FENCE)
NEXT = session("第 5 天下午", NOON + timedelta(hours=4))
LEFT = session(
    "第 6 天上午",
    NOON + timedelta(days=1),
    teacher_id="f" * 24,
    teacher_name="石试安",
    changes=[
        TeacherChange(
            at=NOON,
            by_id="1",
            by="邢试丁",
            before_id="",
            before="",
            after_id="f" * 24,
            after="石试安",
            reason="分课到人。",
        )
    ],
)
TRAINEES = [
    Enrolment(
        **PLACE,
        class_id=CLASS.id,
        person_id=f"{number:024x}",
        name=name,
        id_number_masked="130***********1234",
        work_unit="示例市技师学院机电工程系",
        post="讲师",
        major_taught="数控加工",
        enrolled_at=NOON,
    )
    for number, name in enumerate(("林试禾", "古丽·试依木", "周试山", "陈试帆", "吴试宁", "郑试元"))
]


def checked_in(number: int, status: Status, **more: Any) -> CheckIn:
    return CheckIn(
        session_id=NOW.id,
        class_id=CLASS.id,
        person_id=TRAINEES[number].person_id,
        status=status,
        checked_in_at=NOON + timedelta(minutes=number),
        **({"source": Source.CODE} | more),
    )


BY_HAND = checked_in(
    2,
    Status.PRESENT,
    source=Source.MANUAL,
    registered_by="邢试丁",
    reason="手机没电，授课教师当场确认到课并核对了身份证件",
)
ROLL = Roll(
    NOW,
    Window.OPEN,
    [
        RollEntry(
            TRAINEES[0],
            checked_in(0, Status.PRESENT, distance_m=842),
            (Flag.OUTSIDE_GEOFENCE, Flag.SHARED_DEVICE),
        ),
        RollEntry(TRAINEES[1], checked_in(1, Status.LATE), (Flag.NO_LOCATION,)),
        RollEntry(TRAINEES[2], BY_HAND, ()),
        *(RollEntry(one, None, ()) for one in TRAINEES[3:]),
    ],
    [RefusedScan(session_id=NOW.id, person_id="f" * 24, name="陈试帆", reason="code-expired", at=NOON)],
)
EMPTY_ROLL = Roll(NEXT, Window.UPCOMING, [], [])
TIMETABLE = pages.proposed_timetable(CLASS)
SERVICE_RESTART = 1012
SLOTS = rules.timetable(
    CLASS.starts_on,
    CLASS.ends_on,
    range(7),
    [HalfDay("上午", time(8, 30), time(12), 4)],
    CLASS.courses,
)


GOVERNED = CLASS.model_copy(update={"scheme_version": 1})


def page_of(**more: Any) -> dict[str, Any]:
    usual = {"training_class": CLASS, "tab": "sessions", "today": NOON.date()}
    return layout_context(**(usual | NO_ERRORS | more))


def sessions(*rows: SessionRow, may_manage: bool = True, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"nobodys": set(), "teacher_words": naming.teacher_words}
    return page_of(
        **(usual | more),
        seen=SessionsOfClass(CLASS, list(rows), len(TRAINEES), 8),
        open_now=[row for row in rows if row.window is Window.OPEN],
        may_manage=may_manage,
        may=allowed(*["attendance:show-code"] * may_manage),
    )


def form(**more: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "session": None,
        "course_options": [(one, one) for one in CLASS.courses],
        "teacher_options": [(one.person_id, one.name) for one in CLASS.teachers],
        "everybody": naming.EVERYBODY,
        "datums": pages.DATUMS,
        "may": allowed("interruptions:request"),
    }
    return page_of(**(options | more))


def teachers(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "sessions": [LEFT, NEXT],
        "ticked": [LEFT.id],
        "nobodys": 1,
        "asked": pages.TeachersQuery(),
        "teacher_words": naming.teacher_words,
        "teacher_options": [("a" * 24, "沈试然"), ("b" * 24, "石试平")],
        "everybody": None,
    }
    return page_of(**(usual | more))


def timetable(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "slots": None,
        "hours_before": 0,
        "weekdays": WEEKDAYS,
        "half_days": list(pages.HALF_DAYS.items()),
        "typed_pairs": [],
        "values": TIMETABLE,
    }
    return page_of(**(usual | more))


def roll(seen: Roll, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "session": seen.session,
        "roll": seen,
        "entries": seen.entries,
        "chosen": None,
        "act": "register",
        "unregistered": [one for one in seen.entries if one.check_in is None],
        "ticked": [],
        "longest": "2026-11-24T15:00",
        "refusals": pages.REFUSALS,
        "statuses": named(Status),
        "statuses_there": [("present", "出勤"), ("late", "迟到")],
        "verdicts": named(Verdict),
        "may_extend": seen is not EMPTY_ROLL,
        "teacher_words": naming.teacher_words,
        "may_manage": True,
        "may_change": seen is EMPTY_ROLL,
        "may_cancel": seen is EMPTY_ROLL,
        "may_register": seen is not EMPTY_ROLL,
        "may": allowed("attendance:show-code"),
    }
    return page_of(**(usual | more))


UNRESOLVED = SimpleNamespace(status=422, slug="place-unresolved", title="地点待核实", detail="请先报请核实。")


def place_page(**more: Any) -> dict[str, Any]:
    check = PlaceCheck(
        **PLACE,
        class_id=CLASS.id,
        class_name=CLASS.name,
        institution_name=CLASS.institution_name,
        place="泰山宾馆三楼会议室",
        key="泰山宾馆三楼会议室",
        flags=place_flags("泰山宾馆三楼会议室"),
        reason="到企业现场教学一天。",
        state=State.WAITING,
        history=[
            Step(at=NOON, actor_id="1", actor_name="邢试丁", action="ASK", reason="到企业现场教学一天。")
        ],
    )
    usual = {"check": check, "may_resolve": False, "may_refuse": False, "may_withdraw": False}
    return page_of(**(usual | more))


CHANGED = next(one for one in ROLL.entries if one.flags)
LISTED = [
    SessionRow(OVER, Window.CLOSED, 6),
    SessionRow(NOW, Window.OPEN, 3),
    SessionRow(NEXT, Window.UPCOMING, 0),
]
WRONG = {"title": "名称：至少 2 个字符。", "longitude": "纬度和经度须一起填写；不核对位置时都留空。"}
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "sessions": ("attendance/sessions.html", sessions(*LISTED)),
    "no sessions": ("attendance/sessions.html", sessions()),
    "sessions read only": ("attendance/sessions.html", sessions(*LISTED, may_manage=False)),
    "sessions whose teacher has left": (
        "attendance/sessions.html",
        sessions(*LISTED, SessionRow(LEFT, Window.UPCOMING, 0), nobodys={LEFT.id}, training_class=GOVERNED),
    ),
    "a teacher to name": ("attendance/teachers.html", teachers()),
    "a teacher refused": (
        "attendance/teachers.html",
        teachers(problem=REFUSED, errors={"reason": "理由：必填。", "session_ids": "课次：必填。"}),
    ),
    "every teacher there": ("attendance/teachers.html", teachers(sessions=[], ticked=[], nobodys=0)),
    "nobody to name": ("attendance/teachers.html", teachers(teacher_options=[])),
    "a session of a scheme": (
        "attendance/session_form.html",
        form(
            training_class=GOVERNED,
            session=LEFT,
            values=pages.values_of(LEFT),
            teacher_options=[(LEFT.teacher_id, naming.teacher_words(LEFT, GOVERNED))],
            everybody=None,
        ),
    ),
    "a roll of a scheme": (
        "attendance/roll.html",
        roll(
            replace(EMPTY_ROLL, session=LEFT),
            training_class=GOVERNED,
            may_change=True,
            may_cancel=False,
            may=allowed("interruptions:request"),
        ),
    ),
    "a new session": ("attendance/session_form.html", form(values={"place": CLASS.place})),
    "a session changed": (
        "attendance/session_form.html",
        form(session=NOW, values=pages.values_of(NOW)),
    ),
    "a session refused": (
        "attendance/session_form.html",
        form(problem=REFUSED, errors=WRONG, values={"title": "x", "latitude": "37.1"}),
    ),
    "a timetable": ("attendance/timetable.html", timetable()),
    "a timetable refused": (
        "attendance/timetable.html",
        timetable(problem=REFUSED, errors={"half_days": "请填写上午的上课、下课时间和课时。"}),
    ),
    "a timetable previewed": (
        "attendance/timetable.html",
        timetable(slots=SLOTS, typed_pairs=[("place", "实训楼 301"), ("courses", "教学场所使用管理")]),
    ),
    "a roll": ("attendance/roll.html", roll(ROLL)),
    "nobody's roll": ("attendance/roll.html", roll(EMPTY_ROLL)),
    "a registration": (
        "attendance/roll.html",
        roll(
            ROLL,
            chosen=ROLL.entries[3],
            problem=REFUSED,
            errors={"reason": "理由：必填。"},
            wrong="register_late",
        ),
    ),
    "a place of article 11": (
        "attendance/session_form.html",
        form(problem=UNRESOLVED, errors={"place": "“泰山宾馆”写有“宾馆”。"}, values={"place": "泰山宾馆"}),
    ),
    "a place asked for": ("venues/form.html", page_of(values={"place": "泰山宾馆"})),
    "a place to resolve": ("venues/one.html", place_page(may_resolve=True, may_refuse=True)),
    "a place that waits": ("venues/one.html", place_page(may_withdraw=True)),
    "a change": ("attendance/roll.html", roll(ROLL, chosen=CHANGED, act="change")),
    "a verdict": ("attendance/roll.html", roll(ROLL, chosen=CHANGED, act="judge")),
    "several registered": ("attendance/roll.html", roll(ROLL, problem=REFUSED, wrong="register_all")),
    "a longer window": ("attendance/roll.html", roll(ROLL, problem=REFUSED, wrong="extend_window")),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_its_screen(wide_page: Page, name: str) -> None:
    template, context = PAGES[name]
    show(wide_page, template, context)
    assert_looks_right(wide_page)


def test_a_session_is_cancelled_only_after_a_question(page: Page) -> None:
    show(page, *PAGES["nobody's roll"])
    page.get_by_role("button", name="取消课次").click()
    dialog = page.get_by_role("alertdialog", name="取消这个课次？")
    expect(dialog).to_contain_text("取消不能恢复")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


# ---- the classroom screen, against a running server


class Line:
    """The network between the screen and its server: it can be cut."""

    def __init__(self, page: Page) -> None:
        self._up = True
        self._sockets: list[WebSocketRoute] = []
        self._servers: list[WebSocketRoute] = []
        page.route_web_socket("**/classroom/live", self._connect)
        page.route("**/classroom/code", lambda route: route.continue_() if self._up else route.abort())

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._up:
            self._servers.append(socket.connect_to_server())
            self._sockets.append(socket)
        else:
            socket.close(code=SERVICE_RESTART)

    def mute(self) -> None:
        """The line stands, and nothing comes through it."""
        for socket, server in zip(self._sockets, self._servers, strict=True):
            server.on_message(lambda _: None)
            socket.on_message(lambda _: None)
        self._sockets, self._servers = [], []

    def cut(self) -> None:
        self._up = False
        while self._sockets:
            self._sockets.pop().close(code=SERVICE_RESTART)

    def mend(self) -> None:
        self._up = True


class Room:
    """A class, its session of the morning, and the screen of its room."""

    def __init__(self, live: LiveSite, clock: FixedClock, page: Page) -> None:
        self.clock = clock
        self.page = page
        self._live = live
        self.held: ClassInSession = live.do(stage.class_in_session(live.platform, live.wechat, trainees=3))
        self.session = live.do(stage.teaching_session(live.platform, self.held))

    def opens(self, at: datetime) -> None:
        """Signs in at this moment of the server's clock, which then stands, and opens the screen."""
        self.clock.set(at)
        self._live.sign_in(self.page, cast.XINGTAI_OFFICER)
        home = f"{self._live.address}/admin/classes/{self.held.id}/sessions/{self.session.id}"
        self.page.goto(f"{home}/classroom")

    def checks_in(self, number: int) -> None:
        platform = self._live.platform
        scan = Scan(stage.code_of(platform, self.session), "nonce")
        self._live.do(CheckInDesk(platform).check_in(self.held.trainees[number].actor, scan))

    def count(self, state: str) -> Any:
        return expect(self.page.locator(f'[data-count="{state}"]'))

    def names(self, state: str) -> Any:
        return expect(self.page.get_by_role("list", name=state, exact=True).get_by_role("listitem"))

    @property
    def qr(self) -> Any:
        return self.page.get_by_alt_text("签到二维码")


@pytest.fixture
def room(live: LiveSite, clock: FixedClock, page: Page) -> Room:
    return Room(live, clock, page)


@pytest.fixture
def wide_room(live: LiveSite, clock: FixedClock, wide_page: Page) -> Room:
    return Room(live, clock, wide_page)


FIRST, SECOND, THIRD = (one.name for one in cast.people(3))
JUST_BEFORE_A_NEW_CODE = timedelta(seconds=4, milliseconds=700)
"""Into a step of five seconds: the screen asks for the next code in 0.3 s, and again, while the clock stands."""


def test_the_code_changes_and_who_checks_in_leaves_the_missing(room: Room) -> None:
    room.opens(room.session.starts_at + JUST_BEFORE_A_NEW_CODE)
    expect(room.qr).to_be_visible()
    room.names("未到").to_have_text([FIRST, SECOND, THIRD])
    assert_accessible(room.page)
    assert_fits(room.page)
    first_code = room.qr.get_attribute("src")
    another = room.page.context.new_page()  # a second projector shows the very same
    another.goto(room.page.url)
    expect(another.get_by_alt_text("签到二维码")).to_have_attribute("src", first_code or "")
    another.close()
    room.clock.advance(timedelta(seconds=5))
    expect(room.qr).not_to_have_attribute("src", first_code)
    room.checks_in(1)
    room.names("未到").to_have_text([FIRST, THIRD])
    room.names("已签到").to_have_text([SECOND])
    room.clock.advance(timedelta(minutes=6))
    room.checks_in(0)
    room.names("迟到").to_have_text([FIRST])
    room.count("missing").to_have_text("1")
    room.checks_in(2)
    expect(room.page.get_by_text("全部到齐")).to_be_visible()
    assert_accessible(room.page)


def test_the_screen_waits_for_the_opening_and_ends_with_the_closing(room: Room) -> None:
    room.opens(room.session.opens_at - timedelta(milliseconds=300))
    expect(room.page.get_by_text("08:40 开始签到")).to_be_visible()
    expect(room.page.get_by_role("timer")).to_have_text("00:00")
    expect(room.qr).to_be_hidden()
    room.clock.set(room.session.opens_at + JUST_BEFORE_A_NEW_CODE)
    expect(room.qr).to_be_visible()
    room.checks_in(0)
    room.clock.set(room.session.closes_at)
    expect(room.page.get_by_text("签到已结束")).to_be_visible()
    expect(room.qr).to_be_hidden()
    room.count("missing").to_have_text("2")
    assert_accessible(room.page)
    assert_fits(room.page)


def test_a_screen_that_loses_the_server_says_so_and_catches_up_by_itself(room: Room) -> None:
    line = Line(room.page)
    room.opens(room.session.starts_at + JUST_BEFORE_A_NEW_CODE)
    expect(room.qr).to_be_visible()
    line.cut()
    expect(room.page.get_by_text("连接断开，正在重连…")).to_be_visible()
    expect(
        room.page.get_by_text("签到码获取失败")
    ).to_be_visible()  # once nobody could use the last code any more
    expect(room.qr).to_be_hidden()
    assert_accessible(room.page)
    room.checks_in(0)
    line.mend()
    expect(room.qr).to_be_visible()
    room.names("未到").to_have_text([SECOND, THIRD])
    expect(room.page.get_by_text("连接断开，正在重连…")).to_be_hidden()


def test_a_line_that_dies_without_a_word_is_told_within_ten_seconds_and_mended(room: Room) -> None:
    line = Line(room.page)
    room.page.clock.install()
    room.opens(room.session.starts_at + JUST_BEFORE_A_NEW_CODE)
    room.names("未到").to_have_text([FIRST, SECOND, THIRD])
    line.mute()
    room.page.clock.run_for(10_000)
    expect(room.page.get_by_text("连接断开，正在重连…")).to_be_visible()
    room.checks_in(0)
    room.page.clock.run_for(2_000)
    room.names("未到").to_have_text([SECOND, THIRD])
    expect(room.page.get_by_text("连接断开，正在重连…")).to_be_hidden()


def test_the_code_is_large_and_the_room_may_be_dark_and_the_missing_hidden(wide_room: Room) -> None:
    page = wide_room.page
    wide_room.opens(wide_room.session.starts_at + JUST_BEFORE_A_NEW_CODE)
    expect(wide_room.qr).to_be_visible()
    box = wide_room.qr.bounding_box()
    assert box is not None and box["height"] >= 1.1 * 640  # what it was before the words beside it gave way
    page.get_by_role("button", name="深色").click()
    assert_accessible(page)
    page.get_by_role("button", name="未到名单").click()
    expect(page.get_by_text(FIRST)).to_be_hidden()
    wide_room.count("missing").to_have_text("3")
    page.reload()
    expect(page.get_by_role("button", name="深色")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(FIRST)).to_be_hidden()


@pytest.mark.parametrize(("answer", "words"), [("old", "这个浏览器太旧"), ("gone", "页面没有载入完整")])
def test_a_browser_that_cannot_is_told_so_and_not_that_the_network_failed(
    wide_page: Page, answer: str, words: str
) -> None:
    def serve(route: Route) -> None:
        if answer == "old":
            route.fulfill(body="/* nothing of it is understood */", content_type="text/javascript")
        else:
            route.abort()

    wide_page.route("**/classroom.js*", serve)
    show(wide_page, "attendance/classroom.html", page_of(session=NOW, board="{}"))
    expect(wide_page.get_by_text(words)).to_be_visible()
    expect(wide_page.get_by_text("签到码获取失败")).to_be_hidden()
    expect(wide_page.locator("[data-state=old]")).to_contain_text("Chrome 90")


def test_a_screen_whose_login_is_over_shows_no_code_and_leads_back_through_the_door(room: Room) -> None:
    room.opens(room.session.starts_at + JUST_BEFORE_A_NEW_CODE)
    expect(room.qr).to_be_visible()
    room.page.context.clear_cookies()
    expect(room.page.get_by_text("登录已失效，大屏已停止")).to_be_visible()
    expect(room.qr).to_be_hidden()
    room.page.get_by_role("link", name="重新登录").click()
    room.page.get_by_label("用户名").fill(cast.XINGTAI_OFFICER.username)
    room.page.locator("#field-password").fill(cast.XINGTAI_OFFICER.password)
    room.page.get_by_role("button", name="登录").click()
    expect(room.qr).to_be_visible()
