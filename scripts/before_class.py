"""What comes before a class: accounts, plan, application, invitation, scheme, roster and enrolment, arrival."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from scripts.visitors import Browser, FilledForm, Phone, Stop, found, say, typed
from server.accounts.fictional import FictionalPerson, roster_of
from server.kernel.clock import BEIJING

TRAINEES = 30
INSTITUTION, PROVINCE = "009", "13"  # 邢台技师学院, 河北
COURSES = ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"]


async def centre_prepares(
    url: str, centre_password: str, centre_key: str, run: str, teacher: FictionalPerson
) -> tuple[Browser, Browser]:
    """部指导中心 allocates accounts to the institution and its province and registers a backbone teacher; both officers sign in."""
    centre = Browser(url)
    await centre.sign_in("centre", centre_password, centre_key)
    if await centre.must_change_password():  # a platform that nobody has used yet
        centre_password = await centre.change_first_password(centre_password)
        say(f"  部指导中心首次登录，密码已改为 {centre_password}")
    if key := await centre.enrol_if_asked(centre_password):
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
            "proof": "PAPER",
            "paper_number": "人社培示〔2022〕7 号",
            "paper_dated_on": "2022-12-20",
            "phone": teacher.phone,
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
    await newcomer.enrol_if_asked(await newcomer.change_first_password(first))
    return newcomer


async def institution_plans(officer: Browser, province: Browser, title: str, first_day: date) -> str:
    """Adds a class to the plan of the year, which is new or a new version of what the province approved before; returns its address."""
    edit = f"/admin/plans/new?year={first_day.year}"
    earlier = await officer.leads_to(edit)
    if earlier.endswith("/edit"):
        edit = earlier
    elif earlier:  # it still waits for the province
        await province_approves(province, earlier)
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
    saved = await officer.submit(edit, {"seen": form.get("seen", []), **rows})
    plan = saved.headers["Location"]
    await officer.submit(f"{plan}/submit", await _seen(officer, plan))
    return plan


async def _seen(reader: Browser, address: str) -> dict[str, Any]:
    """How much of a paper's history somebody has read, which every decision on it says."""
    return {"seen": found(r'name="seen" value="(\w+)"', await reader.get(address))}


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


async def class_is_made(officer: Browser, province: Browser, run: str, first_day: date) -> str:
    """Plan and application, each approved by the province; returns the id of the class."""
    title = f"{first_day.year}年{first_day.month}月机械类三级教师培训班（演示 {run}）"
    plan = await institution_plans(officer, province, title, first_day)
    await province_approves(province, plan)
    application = await institution_applies(
        officer, plan, title, first_day, first_day + timedelta(days=DAYS - 1)
    )
    await province_approves(province, application)
    return found(r'href="/admin/classes/([0-9a-f]{24})"', await officer.get(application))


async def institution_invites(officer: Browser, class_id: str, teacher: Phone, teacher_id: str) -> None:
    """邀请函 to teach and to assess at once; the teacher accepts both on the phone."""
    both = {"kinds": ["TEACHING", "ASSESSMENT"], "teacher_ids": [teacher_id]}
    await officer.submit(f"/admin/classes/{class_id}/invitations", both)
    letters = await teacher.call("GET", "/teaching/invitations")
    for letter in letters["items"]:
        if letter["class_id"] == class_id:
            await teacher.call("POST", f"/teaching/invitations/{letter['id']}/accept")


async def everybody_arrives(
    officer: Browser, trainees: list[Phone], person_ids: list[str], class_id: str
) -> None:
    """报到: each opens the admission notice and signs the pledge on the phone; the desk compares identity cards, and
    confirms the phones of those who applied by themselves."""
    for trainee, person_id in zip(trainees, person_ids, strict=True):
        notice = await trainee.call("POST", f"/classes/{class_id}/admission-notice/open", json={})
        signed = {"text_version": notice["text_version"]}
        await trainee.call("POST", f"/classes/{class_id}/admission-notice/pledge", json=signed)
        shown = (await trainee.call("GET", "/me"))["identity"]
        confirmed = {"phone_digits": shown["digits"]} if shown["state"] == "CLAIMED" else {}
        await officer.submit(f"/admin/classes/{class_id}/arrivals/{person_id}", confirmed)


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
    officer: Browser, teacher: Phone, applicants: list[Phone], class_id: str, now: datetime
) -> list[str]:
    """公开报名: found in the mini-program, with the answers to the needs analysis; institution and teacher both agree. Person ids."""
    await officer.submit(
        f"/admin/classes/{class_id}/enrolment",
        {
            "opens": typed(now - timedelta(minutes=1)),
            "closes": typed(now + timedelta(days=2)),
            "places": str(TRAINEES),
            "reporting": "开班当天 8:00，实训楼一层",
            "to_bring": "身份证、工作服",
            **await _seen(officer, f"/admin/classes/{class_id}/enrolment"),
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
    chosen = {"chosen": [one["id"] for one in received]}
    await officer.submit(f"/admin/classes/{class_id}/enrolment/agree", chosen)
    for one in received:
        await teacher.call("POST", f"{path}/{one['id']}/review", json={"agree": True})
    by_name = {one["name"]: one["person_id"] for one in received}
    return [by_name[applicant.person.name] for applicant in applicants]


DAYS = 10
HALF_DAYS = [("上午", "08:30", "12:00"), ("下午", "14:00", "17:30")]
HOURS = 4
"""Of each half day: the 80 hours of the level in ten days."""
COURSE_OF_DAY = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]


def scheme(teacher_id: str, first_day: date) -> dict[str, Any]:
    """The form of a whole scheme: two half days on each of ten days."""
    sessions = [(number, *half) for number in range(DAYS) for half in HALF_DAYS]
    last_day = first_day + timedelta(days=DAYS - 1)
    deadline = typed(datetime.combine(last_day, time(12), BEIJING))
    return {
        "version": "0",
        "objectives": "能独立实施一门工学一体化课程的教学与考核。",
        "places": "实训楼 301，数控车床 20 台",
        "materials": "《工学一体化课程教学实施》讲义",
        "course_title": COURSES,
        "course_hours": [
            str(COURSE_OF_DAY.count(number) * len(HALF_DAYS) * HOURS) for number in range(len(COURSES))
        ],
        "course_teacher_id": [teacher_id] * len(COURSES),
        "session_day": [str(first_day + timedelta(days=day)) for day, *_ in sessions],
        "session_starts": [starts for *_, starts, _ in sessions],
        "session_ends": [ends for *_, ends in sessions],
        "session_title": [f"第 {day + 1} 天{half}" for day, half, *_ in sessions],
        "session_course": [COURSES[COURSE_OF_DAY[day]] for day, *_ in sessions],
        "session_hours": [str(HOURS)] * len(sessions),
        "session_place": ["实训楼 301"] * len(sessions),
        "task_title": ["工学一体化课程教学设计", "示范课说课"],
        "task_kind": ["FORMATIVE", "SUMMATIVE"],
        "task_deadline": [deadline, deadline],
        "criterion_title": ["学习任务分析", "教学活动设计", ""] * 2,
        "criterion_points": ["50", "50", "end"] * 2,
        "task_instructions": ["结合所在院校的一个学习任务完成。"] * 2,
    }


def changed(read: dict[str, Any]) -> dict[str, Any]:
    """The scheme as the teacher read it, with one thing more to bring."""
    same = {name: read[name] for name in ("objectives", "courses", "sessions", "places")}
    tasks = [{name: value for name, value in task.items() if name != "kind_title"} for task in read["tasks"]]
    materials = f"{read['materials']}\n每人自带一份本校的课程标准".strip()
    return {**same, "tasks": tasks, "materials": materials, "based_on": read["version"]}


async def scheme_is_filed(
    officer: Browser, province: Browser, teacher: Phone, class_id: str, teacher_id: str, first_day: date
) -> None:
    """Drafted by institution and teacher, signed by the teacher, approved by the province; sessions and tasks come of it."""
    home = f"/admin/classes/{class_id}/scheme"
    await officer.get(f"{home}/edit")
    await officer.submit(f"{home}/edit", scheme(teacher_id, first_day))
    path = f"/teaching/classes/{class_id}/scheme"
    read = await teacher.call("PUT", path, json=changed(await teacher.call("GET", path)))
    version = {"version": str(read["version"])}
    await officer.submit(f"{home}/send", version)
    said = {"text": "课时安排合适，同意。", "nonce": f"remark-{class_id}"}
    await teacher.call("POST", f"{path}/remarks", 201, json=said)
    await teacher.call("POST", f"{path}/signature", 201, json={"version": read["version"]})
    await officer.submit(f"{home}/file", version)
    await province.submit(f"{home}/approve", version)
