"""The journey of one class over HTTP, as a browser and 31 phones walk it: from an Excel roster to certificates that anybody can check.

Run by `scripts/demo`. `walk` is its table of contents. Everybody in it is fictional, and each run brings new people.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import re
import sys
from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import xlsxwriter

from server.accounts.fictional import FictionalPerson, make_person
from server.kernel.clock import BEIJING

TRAINEES = 30
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

    async def sign_in(self, username: str, password: str) -> None:
        await self.get("/admin/login")
        await self.submit("/admin/login", {"username": username, "password": password})

    async def close(self) -> None:
        await self._http.aclose()


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

    async def bind_real_name(self) -> dict[str, Any]:
        claimed = {
            "name": self.person.name,
            "id_number": self.person.id_number,
            "consent_version": "2026-11",
        }
        bound: dict[str, Any] = await self.call("POST", "/real-name", json=claimed)
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
    url: str, centre_password: str, run: str, teacher: FictionalPerson
) -> tuple[str, str]:
    """部指导中心 allocates an account to the institution and registers a backbone teacher; returns username and first password."""
    centre = Browser(url)
    await centre.sign_in("centre", centre_password)
    username = f"xingtai-{run}"
    page = await centre.submit(
        "/admin/accounts/new",
        {
            "username": username,
            "name": f"邢台技师学院班主任 {run}",
            "role": "TRAINING_BASE",
            "province_code": PROVINCE,
            "institution_code": INSTITUTION,
        },
        leads_on=False,
    )
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
    return username, found(r"first-password[^>]*>([^<]+)<", page)


async def institution_opens_class(officer: Browser, username: str, first_password: str, run: str) -> str:
    """The officer logs in, must change the first password, and opens a class; returns its id."""
    await officer.sign_in(username, first_password)
    changed = f"{first_password}-changed"
    await officer.submit("/admin/password", {"current": first_password, "new": changed, "again": changed})
    today = datetime.now(BEIJING).date()
    page = await officer.submit(
        "/admin/classes/new",
        {
            "name": f"{today.year}年{today.month}月机械类三级教师培训班（演示 {run}）",
            "level": "3",
            "major": "01",
            "courses": COURSES,
            "class_hours": "80",
            "starts_on": str(today - timedelta(days=1)),
            "ends_on": str(today),
            "place": "实训楼 301",
        },
    )
    return page.headers["Location"].rpartition("/")[2]


async def institution_assigns_teacher(officer: Browser, class_id: str, teacher: FictionalPerson) -> None:
    after = ""
    while True:
        page = await officer.get(f"/admin/classes/{class_id}/teachers?major=01{after}")
        row = re.search(rf"{teacher.name}.*?/teachers/([0-9a-f]{{24}})/assign", page.text, re.DOTALL)
        if row:
            break
        after = "&amp;cursor=" + found(r"cursor=([0-9a-f]{24})", page)
        after = after.replace("&amp;", "&")
    await officer.submit(f"/admin/classes/{class_id}/teachers/{row[1]}/assign", {})


def roster(people: Iterable[FictionalPerson]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("名册")
        sheet.write_row(0, 0, ("姓名", "身份证号", "工作单位", "职务", "手机号", "任教专业"))
        for number, one in enumerate(people, start=1):
            line = (one.name, one.id_number, "示例市技师学院", "讲师", one.phone, "数控加工")
            for column, value in enumerate(line):
                sheet.write_string(number, column, value)
    return file.getvalue()


async def institution_imports_roster(officer: Browser, class_id: str, people: list[FictionalPerson]) -> None:
    """First a roster with a typing error, which is refused with its row; then the right one, previewed and confirmed."""
    path = f"/admin/classes/{class_id}/roster"
    last = people[-1]
    mistyped = FictionalPerson(last.name, last.id_number[:-1] + "?", last.phone, last.sex, last.born)
    shown = await officer.submit(path, {}, {"file": ("名册.xlsx", roster([*people[:-1], mistyped]))})
    preview = await officer.get(shown.headers["Location"])
    if f"{len(people) + 1}" not in preview.text or "身份证号" not in preview.text:
        raise Stop("有错的名册没有指出错在哪一行")
    say(f"  名册第 {len(people) + 1} 行身份证号有误，预览指出了这一行，没有导入任何人")
    shown = await officer.submit(path, {}, {"file": ("名册.xlsx", roster(people))})
    await officer.submit(shown.headers["Location"], {})


async def institution_adds_session(officer: Browser, class_id: str) -> None:
    """A session whose check-in is open now."""
    now = datetime.now(BEIJING)
    await officer.submit(
        f"/admin/classes/{class_id}/sessions/new",
        {
            "title": "第一课",
            "course": COURSES[0],
            "place": "实训楼 301",
            "starts_at": typed(now),
            "ends_at": typed(now + timedelta(hours=3)),
            "hours": "4",
            "opens_at": typed(now - timedelta(minutes=20)),
            "late_after": typed(now + timedelta(minutes=10)),
            "closes_at": typed(now + timedelta(minutes=40)),
        },
    )


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


async def institution_sets_tasks(officer: Browser, class_id: str) -> None:
    deadline = typed(datetime.now(BEIJING) + timedelta(hours=5))
    for title, kind in (("工学一体化课程教学设计", "FORMATIVE"), ("示范课说课", "SUMMATIVE")):
        await officer.submit(
            f"/admin/classes/{class_id}/tasks/new",
            {
                "title": title,
                "instructions": "结合所在院校的一个学习任务完成。",
                "kind": kind,
                "deadline": deadline,
                "criterion_title": ["学习任务分析", "教学活动设计"],
                "criterion_points": ["50", "50"],
            },
        )


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


async def walk(url: str, out: Path, centre_password: str, seed: int) -> None:
    run = f"{seed % 1_000_000:06d}"
    first = PEOPLE_FROM + seed * (TRAINEES + 1)
    teacher_person, *people = (make_person(first + number) for number in range(TRAINEES + 1))

    say("1. 部指导中心：分配机构账号，登记骨干教师")
    username, first_password = await centre_prepares(url, centre_password, run, teacher_person)

    say("2. 邢台技师学院：首次登录修改密码，开设三级教师培训班，聘请骨干教师")
    officer = Browser(url)
    class_id = await institution_opens_class(officer, username, first_password, run)
    await institution_assigns_teacher(officer, class_id, teacher_person)

    say(f"3. 导入名册（{TRAINEES} 人）：先预览，后确认")
    await institution_imports_roster(officer, class_id, people)

    say("4. 参训教师和骨干教师：微信登录，实名绑定")
    teacher = Phone(url, f"journey-{run}-teacher", teacher_person)
    trainees = [Phone(url, f"journey-{run}-{number}", one) for number, one in enumerate(people)]
    await some_at_once(one.log_in() for one in (teacher, *trainees))
    bound = await some_at_once(one.bind_real_name() for one in (teacher, *trainees))
    say(f"  {bound[1]['name']} {bound[1]['id_number_masked']}：{bound[1]['evidence']['title']}")

    say("5. 上课：安排课次，全班同时签到")
    await institution_adds_session(officer, class_id)
    await everybody_checks_in(teacher, trainees, class_id)

    say("6. 布置考核任务，提交学习成果，骨干教师评分")
    await institution_sets_tasks(officer, class_id)
    await some_at_once(hand_in_everything(one, class_id) for one in trainees)
    await teacher_grades(teacher, class_id)

    say("7. 满意度评价：匿名，每人一次")
    await institution_opens_survey(officer, class_id)
    await some_at_once(answer_survey(one, class_id) for one in trainees)

    say("8. 公布成绩，核发证书")
    await institution_issues(officer, class_id)
    certificates = await some_at_once(fetch_certificate(one, class_id, out) for one in trainees)
    say(f"  证书编号 {certificates[0]['number']} 至 {certificates[-1]['number']}，PDF 和 PNG 在 {out}")

    say("9. 任何人：扫码验证，按姓名和编号查询")
    await anybody_checks(url, certificates, people)
    say(f"完成：{len(certificates)} 张证书全部验证为有效。")

    await officer.close()
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
        "--seed", type=int, default=random.randrange(10**6), help="which fictional people come"
    )
    options = parser.parse_args()
    try:
        password = options.centre_password or demonstration_password(options.data_dir)
        options.out.mkdir(parents=True, exist_ok=True)
        asyncio.run(walk(options.url.rstrip("/"), options.out, password, options.seed))
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
