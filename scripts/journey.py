"""The journey of one class over HTTP, as browsers and 31 phones walk it: from the year's plan to certificates that anybody can check.

Run by `scripts/demo`. `walk` is its table of contents. Everybody in it is fictional, and each run brings new people.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
from collections.abc import Awaitable, Iterable
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import httpx

from server.accounts import totp
from server.accounts.fictional import FictionalPerson, make_person, roster_of
from server.kernel.clock import BEIJING

TRAINEES = 30
ON_ROSTER = 27
"""The others enrol themselves in the mini-program."""
AT_ONCE = 8
"""Phones that talk to the server at the same moment, except at check-in, when they all do."""
PEOPLE_FROM = 10_000
"""The seeds below belong to the demonstration classes of the server."""
INSTITUTION, PROVINCE = "009", "13"  # 邢台技师学院, 河北
COURSES = ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"]
T = TypeVar("T")


class Stop(Exception):
    """A step did not go as it must; the message says which and what came back."""


def require(done: bool, what: str, answer: httpx.Response) -> None:
    if not done:
        raise Stop(f"{what}：{answer.status_code} {answer.text[:600]}")


# ---- a browser and a phone


class Browser:
    """Somebody of the staff: keeps cookies, fills in forms."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)

    async def get(self, path: str) -> httpx.Response:
        page = await self._http.get(path)
        require(page.status_code == 200, f"打开 {path}", page)
        return page

    async def submit(
        self, path: str, form: dict[str, Any], files: dict[str, Any] | None = None, *, leads_on: bool = True
    ) -> httpx.Response:
        """Sends a form. A form that was accepted leads to another page; one that was refused is shown again."""
        form = {"_xsrf": self._http.cookies["_xsrf"], **form}
        page = await self._http.post(path, data=form, files=files)
        require(page.status_code == (303 if leads_on else 200), f"提交 {path}", page)
        return page

    async def sign_in(self, username: str, password: str, key: str = "") -> None:
        """`key` is what the authenticator app keeps, for an account that has one."""
        await self.get("/admin/login")
        entered = await self.submit("/admin/login", {"username": username, "password": password})
        if entered.headers["Location"].startswith("/admin/login/code"):
            if not key:
                raise Stop(f"账号 {username} 已开通两步验证：请用 --centre-key 给出验证器的密钥")
            await self.submit("/admin/login/code", {"code": shown_code(key)})

    async def change_first_password(self, first: str) -> str:
        """What everybody must do before anything else; returns the new password."""
        changed = f"{first}-changed"
        await self.submit("/admin/password", {"current": first, "new": changed, "again": changed})
        return changed

    async def must_change_password(self) -> bool:
        home = await self._http.get("/admin")
        return "/admin/password" in home.headers.get("Location", "")

    async def enrol_if_asked(self) -> str:
        """Enrols an authenticator app where the platform asks for one before anything else; returns its key, or nothing."""
        home = await self._http.get("/admin")
        if "/admin/second-factor" not in home.headers.get("Location", ""):
            return ""
        await self.get("/admin/second-factor")
        await self.submit("/admin/second-factor", {})
        key = found('data-key="([A-Z2-7]+)"', await self.get("/admin/second-factor"))
        await self.submit("/admin/second-factor/confirm", {"code": shown_code(key)}, leads_on=False)
        return key

    async def close(self) -> None:
        await self._http.aclose()


def shown_code(key: str) -> str:
    """What an authenticator app shows now."""
    return totp.code_at(key, totp.step_at(datetime.now(UTC)))


class FilledForm(HTMLParser):
    """What the fields of a page hold, by name, as a browser would send them along with what is typed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "input" and said.get("name"):
            self._add(said["name"] or "", said.get("value") or "")
        elif tag == "select":
            self._select = said.get("name") or ""
            self._add(self._select, "")
        elif tag == "option" and "selected" in said:
            self.values[self._select][-1] = said.get("value") or ""

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


class Phone:
    """The mini-program on one phone."""

    def __init__(self, url: str, openid: str, person: FictionalPerson) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)
        self.openid = openid
        self.person = person

    async def call(self, method: str, path: str, expected: int = 200, **content: Any) -> Any:
        """One call of the API; its JSON, or its bytes when it is a file."""
        answer = await self._http.request(method, f"/api/v1{path}", **content)
        require(answer.status_code == expected, f"{self.person.name} {method} {path}", answer)
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer.json() if is_json else answer.content

    async def log_in(self) -> None:
        """wx.login gives a code (here the simulated WeChat does), the platform exchanges it for a session."""
        given = await self._http.post(f"/simulator/phones/{self.openid}/code")
        require(given.status_code == 200, "模拟微信没有给出登录凭证（服务器用的是真实微信？）", given)
        session = await self.call("POST", "/login", json={"code": given.json()["code"]})
        self._http.headers["Authorization"] = f"Bearer {session['token']}"

    @property
    def claimed(self) -> dict[str, str]:
        """Who the owner of this phone says they are."""
        return {
            "name": self.person.name,
            "id_number": self.person.id_number,
            "consent_version": "2026-11",
        }

    async def bind_real_name(self) -> dict[str, Any]:
        bound: dict[str, Any] = await self.call("POST", "/real-name", json=self.claimed)
        return bound

    async def close(self) -> None:
        await self._http.aclose()


async def some_at_once(work: Iterable[Awaitable[T]]) -> list[T]:
    """All of it, a few at a time, in order."""
    lanes = asyncio.Semaphore(AT_ONCE)

    async def in_a_lane(one: Awaitable[T]) -> T:
        async with lanes:
            return await one

    return list(await asyncio.gather(*map(in_a_lane, work)))


def say(text: str) -> None:
    print(text, flush=True)


def found(pattern: str, page: httpx.Response) -> str:
    match = re.search(pattern, page.text)
    if match is None:
        raise Stop(f"页面 {page.url.path} 上没有找到 {pattern}")
    return match[1]


def typed(moment: datetime) -> str:
    """A moment as a form's field takes it: Beijing time."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%dT%H:%M}"


# ---- the steps


async def centre_prepares(
    url: str, centre_password: str, centre_key: str, run: str, teacher: FictionalPerson
) -> tuple[Browser, Browser]:
    """部指导中心 allocates accounts to the institution and its province and registers a backbone teacher; both officers sign in."""
    centre = Browser(url)
    await centre.sign_in("centre", centre_password, centre_key)
    if await centre.must_change_password():  # a platform that nobody has used yet
        changed = await centre.change_first_password(centre_password)
        say(f"  部指导中心首次登录，密码已改为 {changed}")
    if key := await centre.enrol_if_asked():
        say(f"  部指导中心已开通两步验证，验证器的密钥 {key}")
    base = {"role": "TRAINING_BASE", "province_code": PROVINCE, "institution_code": INSTITUTION}
    officer = await _newcomer(centre, url, f"xingtai-{run}", f"邢台技师学院班主任 {run}", base)
    office = {"role": "PROVINCE", "province_code": PROVINCE}
    province = await _newcomer(centre, url, f"hebei-{run}", f"河北省管理员 {run}", office)
    await centre.submit(
        "/admin/backbone/new",
        {
            "name": teacher.name,
            "id_number": teacher.id_number,
            "province_code": PROVINCE,
            "work_unit": f"示例市技师学院（演示 {run}）",
            "majors": ["01"],
        },
    )
    await centre.close()
    return officer, province


async def _newcomer(centre: Browser, url: str, username: str, name: str, office: dict[str, str]) -> Browser:
    """Somebody with a new account, who has signed in, changed the first password and enrolled an app, as one must."""
    account = {"username": username, "name": name, **office}
    page = await centre.submit("/admin/accounts/new", account, leads_on=False)
    first = found(r"first-password[^>]*>([^<]+)<", page)
    newcomer = Browser(url)
    await newcomer.sign_in(username, first)
    await newcomer.change_first_password(first)
    await newcomer.enrol_if_asked()
    return newcomer


async def institution_plans(officer: Browser, province: Browser, title: str, first_day: date) -> str:
    """Adds a class to the plan of the year, which is new or a new version of what the province approved before; returns its address."""
    year = {"year": str(first_day.year)}
    edit = (await officer.submit("/admin/plans/new", year)).headers["Location"]
    if not edit.endswith("/edit"):  # an earlier version still waits for the province
        await province_approves(province, edit)
        edit = (await officer.submit("/admin/plans/new", year)).headers["Location"]
    form = FilledForm((await officer.get(edit)).text).values
    new = {
        "item_id": "",
        "item_title": title,
        "item_level": "3",
        "item_major": "01",
        "item_month": str(first_day.month),
        "item_places": str(TRAINEES + 10),
        "item_class_hours": "80",
        "item_budget_fen": "96000",
    }
    rows = {name: [*form[name], value] for name, value in new.items()}
    saved = await officer.submit(edit, {"seen": form["seen"], **rows})
    plan = saved.headers["Location"]
    await officer.submit(f"{plan}/submit", await _seen(officer, plan))
    return plan


async def _seen(reader: Browser, address: str) -> dict[str, Any]:
    """How much of a paper's history somebody has read, which every decision on it says."""
    return {"seen": found(r'name="seen" value="([0-9]+)"', await reader.get(address))}


async def province_approves(province: Browser, paper: str) -> None:
    await province.submit(f"{paper}/approve", await _seen(province, paper))


async def institution_applies(
    officer: Browser, plan: str, title: str, first_day: date, last_day: date
) -> str:
    """Applies for the class from its item of the approved plan; returns the address of the application."""
    page = await officer.get(plan)
    apply = found(rf'href="([^"]+/apply)" aria-label="为{re.escape(title)}申请开班"', page)
    applied = await officer.submit(
        apply,
        {
            "name": title,
            "starts_on": str(first_day),
            "ends_on": str(last_day),
            "places": str(TRAINEES + 10),
            "class_hours": "80",
            "courses": COURSES,
            "venue_name": "实训楼 301",
            "venue_address": "河北省邢台市信都区示例路 1 号",
            "venue_stars": "0",
        },
    )
    return applied.headers["Location"]


async def class_is_made(officer: Browser, province: Browser, run: str) -> str:
    """Plan and application, each approved by the province; returns the id of the class."""
    today = datetime.now(BEIJING).date()
    first_day = max(today - timedelta(days=1), today.replace(month=1, day=1))
    title = f"{today.year}年{today.month}月机械类三级教师培训班（演示 {run}）"
    plan = await institution_plans(officer, province, title, first_day)
    await province_approves(province, plan)
    application = await institution_applies(officer, plan, title, first_day, today)
    await province_approves(province, application)
    return found(r'href="/admin/classes/([0-9a-f]{24})"', await officer.get(application))


async def institution_invites(officer: Browser, class_id: str, teacher: Phone, teacher_id: str) -> None:
    """邀请函 to teach and to assess; the teacher accepts both on the phone."""
    for kind in ("TEACHING", "ASSESSMENT"):
        await officer.submit(
            f"/admin/classes/{class_id}/invitations", {"kind": kind, "teacher_ids": [teacher_id]}
        )
    letters = await teacher.call("GET", "/teaching/invitations")
    for letter in letters["items"]:
        if letter["class_id"] == class_id:
            await teacher.call("POST", f"/teaching/invitations/{letter['id']}/accept")


async def everybody_arrives(
    officer: Browser, trainees: list[Phone], person_ids: list[str], class_id: str
) -> None:
    """报到: each opens the admission notice and signs the pledge on the phone; the desk compares identity cards."""
    for trainee, person_id in zip(trainees, person_ids, strict=True):
        notice = await trainee.call("GET", f"/classes/{class_id}/admission-notice")
        signed = {"text_version": notice["text_version"]}
        await trainee.call("POST", f"/classes/{class_id}/admission-notice/pledge", json=signed)
        await officer.submit(f"/admin/classes/{class_id}/arrivals/{person_id}", {})


async def institution_imports_roster(officer: Browser, class_id: str, people: list[FictionalPerson]) -> None:
    """First a roster with a typing error, which is refused with its row; then the right one, previewed and confirmed."""
    path = f"/admin/classes/{class_id}/roster"
    last = people[-1]
    mistyped = FictionalPerson(last.name, last.id_number[:-1] + "?", last.phone, last.sex, last.born)
    shown = await officer.submit(path, {}, {"file": ("名册.xlsx", roster_of([*people[:-1], mistyped]))})
    preview = await officer.get(shown.headers["Location"])
    if f"{len(people) + 1}" not in preview.text or "身份证号" not in preview.text:
        raise Stop("有错的名册没有指出错在哪一行")
    say(f"  名册第 {len(people) + 1} 行身份证号有误，预览指出了这一行，没有导入任何人")
    shown = await officer.submit(path, {}, {"file": ("名册.xlsx", roster_of(people))})
    await officer.submit(shown.headers["Location"], {})


async def some_apply_themselves(
    officer: Browser, teacher: Phone, applicants: list[Phone], class_id: str
) -> list[str]:
    """公开报名: found in the mini-program, with the answers to the needs analysis; institution and teacher both agree. Person ids."""
    now = datetime.now(BEIJING)
    await officer.submit(
        f"/admin/classes/{class_id}/enrolment",
        {
            "opens": typed(now - timedelta(minutes=1)),
            "closes": typed(now + timedelta(hours=1)),
            "places": str(TRAINEES),
            "reporting": "开班当天 8:00，实训楼一层",
            "to_bring": "身份证、工作服",
            "questions": "",
        },
    )
    for applicant in applicants:
        offered = await applicant.call("GET", f"/open-classes/{class_id}")
        answers = {
            one["key"]: one["options"][0] if one["options"] else "希望多看示范课。"
            for one in offered["questions"]
        }
        await applicant.call(
            "POST",
            f"/open-classes/{class_id}/applications",
            201,
            json={
                "work_unit": "示例市技师学院",
                "post": "讲师",
                "years_of_teaching": 6,
                "major_taught": "数控加工",
                "answers": answers,
                "real_name": applicant.claimed,
            },
        )
    path = f"/teaching/classes/{class_id}/applications"
    received = (await teacher.call("GET", path))["items"]
    chosen = {"applicant_ids": [one["id"] for one in received]}
    await officer.submit(f"/admin/classes/{class_id}/enrolment/agree", chosen)
    for one in received:
        await teacher.call("POST", f"{path}/{one['id']}/review", json={"agree": True})
    by_name = {one["name"]: one["person_id"] for one in received}
    return [by_name[applicant.person.name] for applicant in applicants]


TIMETABLE = [(0, "12"), (0, "12"), (0, "8"), (1, "12"), (1, "12"), (2, "12"), (2, "12")]
"""Course and class hours of each session: the 80 hours of the level, pressed into what is left of today, so that the journey
can go on to the certificates at once."""


def scheme(teacher_id: str) -> dict[str, Any]:
    """The form of a whole scheme; its first session has just begun. Raises Stop late in the evening."""
    begins = datetime.now(BEIJING).replace(second=0, microsecond=0)
    midnight = begins.replace(hour=23, minute=59)
    each = min(timedelta(hours=1), (midnight - begins) // len(TIMETABLE))
    each -= timedelta(seconds=each.seconds % 60)
    if each < timedelta(minutes=5):
        raise Stop("今天剩下的时间排不下演示的课表，请在 23:20 以前或明天再试")
    starts = [begins + number * each for number in range(len(TIMETABLE))]
    deadline = typed(begins + timedelta(hours=5))
    return {
        "version": "0",
        "objectives": "能独立实施一门工学一体化课程的教学与考核。",
        "places": "实训楼 301，数控车床 20 台",
        "materials": "《工学一体化课程教学实施》讲义",
        "course_title": COURSES,
        "course_hours": [
            str(sum(int(hours) for course, hours in TIMETABLE if course == number))
            for number in range(len(COURSES))
        ],
        "course_teacher_id": [teacher_id] * len(COURSES),
        "session_day": [f"{moment:%Y-%m-%d}" for moment in starts],
        "session_starts": [f"{moment:%H:%M}" for moment in starts],
        "session_ends": [f"{moment + each:%H:%M}" for moment in starts],
        "session_title": [f"第 {number} 课" for number in range(1, len(TIMETABLE) + 1)],
        "session_course": [COURSES[course] for course, _ in TIMETABLE],
        "session_hours": [hours for _, hours in TIMETABLE],
        "session_place": ["实训楼 301"] * len(TIMETABLE),
        "task_title": ["工学一体化课程教学设计", "示范课说课"],
        "task_kind": ["FORMATIVE", "SUMMATIVE"],
        "task_deadline": [deadline, deadline],
        "task_criteria": ["学习任务分析 50\n教学活动设计 50"] * 2,
        "task_instructions": ["结合所在院校的一个学习任务完成。"] * 2,
    }


def changed(read: dict[str, Any]) -> dict[str, Any]:
    """The scheme as the teacher read it, with one thing more to bring."""
    same = {name: read[name] for name in ("objectives", "courses", "sessions", "places")}
    tasks = [{name: value for name, value in task.items() if name != "kind_title"} for task in read["tasks"]]
    materials = f"{read['materials']}\n每人自带一份本校的课程标准".strip()
    return {**same, "tasks": tasks, "materials": materials, "based_on": read["version"]}


async def scheme_is_filed(
    officer: Browser, province: Browser, teacher: Phone, class_id: str, teacher_id: str
) -> None:
    """Drafted by institution and teacher, signed by the teacher, approved by the province; sessions and tasks come of it."""
    home = f"/admin/classes/{class_id}/scheme"
    await officer.get(f"{home}/edit")
    await officer.submit(f"{home}/edit", scheme(teacher_id))
    path = f"/teaching/classes/{class_id}/scheme"
    read = await teacher.call("PUT", path, json=changed(await teacher.call("GET", path)))
    version = {"version": str(read["version"])}
    await officer.submit(f"{home}/send", version)
    said = {"text": "课时安排合适，同意。", "nonce": f"remark-{class_id}"}
    await teacher.call("POST", f"{path}/remarks", 201, json=said)
    await teacher.call("POST", f"{path}/signature", 201, json={"version": read["version"]})
    await officer.submit(f"{home}/file", version)
    await province.submit(f"{home}/approve", version)


async def everybody_checks_in(teacher: Phone, trainees: list[Phone], class_id: str) -> None:
    """All at once, against the code on the teacher's phone; one with the code of another's imagination is refused."""
    sessions = await teacher.call("GET", f"/teaching/classes/{class_id}/sessions")
    session_id = sessions["items"][0]["id"]
    await trainees[0].call(
        "POST", "/check-ins", 422, json={"code": "GX1:not-a-code-of-this-platform", "nonce": "forged"}
    )
    shown = await teacher.call("GET", f"/teaching/sessions/{session_id}/code")
    await asyncio.gather(
        *(
            one.call("POST", "/check-ins", 201, json={"code": shown["code"], "nonce": f"{one.openid}-1"})
            for one in trainees
        )
    )
    roll = await teacher.call("GET", f"/teaching/sessions/{session_id}/attendance")
    say(f"  教师手机上：应到 {TRAINEES}，未到 {roll['missing']}")


async def hand_in_everything(trainee: Phone, class_id: str) -> None:
    tasks = await trainee.call("GET", f"/classes/{class_id}/tasks")
    for task in tasks["items"]:
        text = f"《{task['title']}》由{trainee.person.name}独立完成。"
        await trainee.call(
            "POST",
            f"/tasks/{task['id']}/submissions",
            201,
            data={"text": text, "own_work": "true", "nonce": f"work-{task['id']}"},
            files={"files": (f"{task['title']}.txt", (text * 20).encode(), "text/plain")},
        )


async def teacher_grades(teacher: Phone, class_id: str) -> None:
    tasks = await teacher.call("GET", f"/teaching/classes/{class_id}/tasks")
    for task in tasks["items"]:
        work = await teacher.call("GET", f"/teaching/tasks/{task['id']}/submissions")
        for row in work["items"]:
            scores = {one["key"]: one["points"] * 9 // 10 for one in task["criteria"]}
            await teacher.call(
                "PUT",
                f"/teaching/submissions/{row['submission']['id']}/grade",
                json={"scores": scores, "comment": "任务分析到位。"},
            )


async def institution_opens_survey(officer: Browser, class_id: str) -> None:
    now = datetime.now(BEIJING)
    period = {"opens_at": typed(now), "closes_at": typed(now + timedelta(days=2))}
    await officer.submit(f"/admin/classes/{class_id}/survey", period)


async def answer_survey(trainee: Phone, class_id: str) -> None:
    surveys = await trainee.call("GET", "/surveys")
    survey_id = next(one["id"] for one in surveys["items"] if one["class_id"] == class_id)
    survey = await trainee.call("GET", f"/surveys/{survey_id}")
    answers = {one["key"]: 3 for one in survey["questions"] if one["kind"] == "scale"}
    await trainee.call("POST", f"/surveys/{survey_id}/responses", 201, json={"answers": answers})


async def institution_issues(officer: Browser, class_id: str) -> None:
    """Closes the survey, releases the results, which freezes them, and issues the certificates."""
    await officer.submit(f"/admin/classes/{class_id}/survey/close", {})
    await officer.submit(f"/admin/classes/{class_id}/results/release", {})
    await officer.submit(f"/admin/classes/{class_id}/certificates/issue", {})


async def fetch_certificate(trainee: Phone, class_id: str, out: Path) -> dict[str, Any]:
    """Leaves the PDF and the PNG of the trainee's certificate in `out`."""
    mine = await trainee.call("GET", "/certificates")
    certificate: dict[str, Any] = next(one for one in mine["items"] if one["class_id"] == class_id)
    for kind in ("pdf", "png"):
        content = await trainee.call("GET", f"/certificates/{certificate['id']}/{kind}")
        (out / f"{certificate['number']}.{kind}").write_bytes(content)
    return certificate


async def anybody_checks(url: str, certificates: list[dict[str, Any]], people: list[FictionalPerson]) -> None:
    """The page behind each QR code, and the query by name and number."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as stranger:
        for certificate, person in zip(certificates, people, strict=True):
            page = await stranger.get(httpx.URL(certificate["verify_url"]).path)
            says_so = certificate["number"] in page.text and person.name in page.text
            require(page.status_code == 200 and says_so, "扫码验证", page)
            if person.id_number in page.text:
                raise Stop("验证页露出了完整的身份证号")
        asked = {"name": people[0].name, "certificate_number": certificates[0]["number"]}
        answer = await stranger.post("/api/v1/certificate-queries", json=asked)
        require(answer.status_code == 200, "按姓名和证书编号查询", answer)
        asked["certificate_number"] = certificates[1]["number"]
        answer = await stranger.post("/api/v1/certificate-queries", json=asked)
        require(answer.status_code == 404, "姓名和编号不符的查询应查无此证", answer)


# ---- the whole


async def walk(url: str, out: Path, centre_password: str, centre_key: str, seed: int) -> None:
    run = f"{seed % 1_000_000:06d}"
    first = PEOPLE_FROM + seed * (TRAINEES + 1)
    teacher_person, *people = (make_person(first + number) for number in range(TRAINEES + 1))

    say("1. 部指导中心：为培训机构和省级管理部门分配账号，登记骨干教师；两人首次登录修改密码")
    officer, province = await centre_prepares(url, centre_password, centre_key, run, teacher_person)

    say("2. 邢台技师学院：年度培训计划报河北省批准，再按计划申请开班，批准后建立培训班")
    class_id = await class_is_made(officer, province, run)

    say("3. 骨干教师：微信登录，实名绑定，接受授课和考核的邀请函")
    teacher = Phone(url, f"journey-{run}-teacher", teacher_person)
    await teacher.log_in()
    teacher_id = (await teacher.bind_real_name())["person_id"]
    await institution_invites(officer, class_id, teacher, teacher_id)

    say("4. 培训方案：机构起草，骨干教师签署，河北省审核通过，课次和考核任务按方案安排（80 课时压缩在今天）")
    await scheme_is_filed(officer, province, teacher, class_id, teacher_id)

    say(
        f"5. 招生：导入名册（{ON_ROSTER} 人，先预览，后确认），{TRAINEES - ON_ROSTER} 人在小程序报名，机构和教师共同审核"
    )
    await institution_imports_roster(officer, class_id, people[:ON_ROSTER])
    trainees = [Phone(url, f"journey-{run}-{number}", one) for number, one in enumerate(people)]
    await some_at_once(one.log_in() for one in trainees)
    bound = await some_at_once(one.bind_real_name() for one in trainees[:ON_ROSTER])
    say(f"  {bound[0]['name']} {bound[0]['id_number_masked']}：{bound[0]['evidence']['title']}")
    admitted = await some_apply_themselves(officer, teacher, trainees[ON_ROSTER:], class_id)
    say("  入学通知，签署承诺书，核对身份证报到")
    person_ids = [one["person_id"] for one in bound] + admitted
    await everybody_arrives(officer, trainees, person_ids, class_id)

    say("6. 上课：全班同时签到；提交学习成果，骨干教师评分")
    await everybody_checks_in(teacher, trainees, class_id)
    await some_at_once(hand_in_everything(one, class_id) for one in trainees)
    await teacher_grades(teacher, class_id)

    say("7. 满意度评价：匿名，每人一次")
    await institution_opens_survey(officer, class_id)
    await some_at_once(answer_survey(one, class_id) for one in trainees)

    say("8. 公布成绩，核发证书")
    await institution_issues(officer, class_id)
    certificates = await some_at_once(fetch_certificate(one, class_id, out) for one in trainees)
    numbers = sorted(one["number"] for one in certificates)
    say(f"  证书编号 {numbers[0]} 至 {numbers[-1]}，PDF 和 PNG 在 {out}")

    say("9. 任何人：扫码验证，按姓名和编号查询")
    await anybody_checks(url, certificates, people)
    say(f"完成：{len(certificates)} 张证书全部验证为有效。")

    await officer.close()
    await province.close()
    for phone in (teacher, *trainees):
        await phone.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="走完一个培训班的全过程")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the running server")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-certificates"), help="folder for the certificates"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".data"), help="that of a server started with --demo"
    )
    parser.add_argument(
        "--centre-password", help="password of the account centre, if the server has no --demo"
    )
    parser.add_argument(
        "--centre-key", default="", help="key of its authenticator app, if the account has one"
    )
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="which fictional people come"
    )
    options = parser.parse_args()
    try:
        password = options.centre_password or demonstration_password(options.data_dir)
        options.out.mkdir(parents=True, exist_ok=True)
        asyncio.run(walk(options.url.rstrip("/"), options.out, password, options.centre_key, options.seed))
    except (Stop, httpx.TransportError) as problem:
        print(f"没有走完：{problem}", file=sys.stderr)
        return 1
    return 0


def demonstration_password(data_dir: Path) -> str:
    path = data_dir / "secrets" / "demo-accounts.json"
    try:
        accounts: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        raise Stop(f"没有 {path}：请用 scripts/run --demo 启动服务器，或给出 --centre-password") from None
    return accounts["centre"]


if __name__ == "__main__":
    sys.exit(main())
