"""The journey of one class over HTTP, as browsers and 31 phones walk it: from the year's plan to certificates that anybody can check.

Run by `scripts/demo`. `walk` is its table of contents. Everybody in it is fictional, and each run brings new people.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
from altcha import solve_challenge
from altcha.v2 import Challenge, Payload

from scripts.before_class import (
    HALF_DAYS,
    TRAINEES,
    centre_prepares,
    class_is_made,
    everybody_arrives,
    institution_imports_roster,
    institution_invites,
    scheme_is_filed,
    some_apply_themselves,
)
from scripts.visitors import Browser, CivilTime, Phone, Stop, found, require, say, some_at_once
from server.accounts.fictional import FictionalPerson, make_person
from server.kernel.clock import BEIJING

ON_ROSTER = 27
SIGNED_WITHIN = 60
"""Seconds."""
"""The others enrol themselves in the mini-program."""
AHEAD = timedelta(days=7)
"""How long before its first day a class is applied for."""
FIRST_COME = timedelta(minutes=5)
"""Before a session begins, and after it has ended, when something happens."""
HANDED_IN_AFTER = {"FORMATIVE": 12, "SUMMATIVE": 18}
"""Kind of task → after which session."""
PEOPLE_FROM = 10_000
"""The seeds below belong to the demonstration classes of the server."""


async def ten_days_are_lived(
    civil: CivilTime, teacher: Phone, trainees: list[Phone], class_id: str
) -> list[dict[str, Any]]:
    """Each session in its turn, with everybody in it; work is handed in on the way. Comes back when the last session has ended."""
    forged = {"code": "GX1:not-a-code-of-this-platform", "nonce": "forged"}
    listed = await teacher.call("GET", f"/teaching/classes/{class_id}/sessions?limit=50")
    sessions: list[dict[str, Any]] = listed["items"]
    for number, session in enumerate(sessions, start=1):
        await civil.move_to(datetime.fromisoformat(session["starts_at"]) - FIRST_COME)
        if number == 1:
            await trainees[0].call("POST", "/check-ins", 422, json=forged)
        roll = await everybody_checks_in(teacher, trainees, session["id"])
        if number % len(HALF_DAYS) == 0:
            say(f"  {session['title']}：应到 {TRAINEES}，未到 {roll['missing']}")
        for kind, after in HANDED_IN_AFTER.items():
            if number == after:
                await civil.move_to(datetime.fromisoformat(session["ends_at"]) + FIRST_COME)
                await some_at_once(hand_in(one, class_id, kind) for one in trainees)
    await civil.move_to(datetime.fromisoformat(sessions[-1]["ends_at"]) + FIRST_COME)
    return sessions


async def everybody_checks_in(teacher: Phone, trainees: list[Phone], session_id: str) -> dict[str, Any]:
    """All at once, against the code on the teacher's phone; what the teacher then sees."""
    shown = await teacher.call("GET", f"/teaching/sessions/{session_id}/code")
    await asyncio.gather(
        *(
            one.call(
                "POST", "/check-ins", 201, json={"code": shown["code"], "nonce": f"{one.openid}-{session_id}"}
            )
            for one in trainees
        )
    )
    roll: dict[str, Any] = await teacher.call("GET", f"/teaching/sessions/{session_id}/attendance")
    return roll


async def hand_in(trainee: Phone, class_id: str, kind: str) -> None:
    tasks = await trainee.call("GET", f"/classes/{class_id}/tasks")
    for task in (one for one in tasks["items"] if one["kind"] == kind):
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


async def answer_survey(trainee: Phone, class_id: str) -> None:
    surveys = await trainee.call("GET", "/surveys")
    survey_id = next(one["id"] for one in surveys["items"] if one["class_id"] == class_id)
    survey = await trainee.call("GET", f"/surveys/{survey_id}")
    answers = {one["key"]: 3 for one in survey["questions"] if one["kind"] == "scale"}
    await trainee.call("POST", f"/surveys/{survey_id}/responses", 201, json={"answers": answers})


async def institution_issues(officer: Browser, class_id: str) -> None:
    """Closes the survey, releases the results, which freezes them, and issues the certificates."""
    await officer.submit(f"/admin/classes/{class_id}/survey/close", {})
    results = f"/admin/classes/{class_id}/results"
    name = found(r'data-type-to-confirm="([^"]+)"', await officer.get(results))
    await officer.submit(f"{results}/release", {"typed": name})
    await officer.submit(f"/admin/classes/{class_id}/certificates/issue", {})


async def signed_certificate(trainee: Phone, class_id: str) -> dict[str, Any]:
    """As soon as it is signed, which the server does in the background."""
    for _ in range(SIGNED_WITHIN):
        mine = await trainee.call("GET", "/certificates")
        found: dict[str, Any] = next(one for one in mine["items"] if one["class_id"] == class_id)
        if found["status"] != "PENDING":
            return found
        await asyncio.sleep(1)
    raise Stop("证书没有在一分钟内制作完成")


async def fetch_certificate(trainee: Phone, class_id: str, out: Path) -> dict[str, Any]:
    """Leaves the PDF and the PNG of the trainee's certificate in `out`."""
    certificate = await signed_certificate(trainee, class_id)
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
        asked["proof"] = await solve_puzzle(stranger)
        answer = await stranger.post("/api/v1/certificate-queries", json=asked)
        require(answer.status_code == 200, "按姓名和证书编号查询", answer)
        asked |= {"certificate_number": certificates[1]["number"], "proof": await solve_puzzle(stranger)}
        answer = await stranger.post("/api/v1/certificate-queries", json=asked)
        require(answer.status_code == 404, "姓名和编号不符的查询应查无此证", answer)


async def solve_puzzle(stranger: httpx.AsyncClient) -> str:
    """As a phone does before each question."""
    challenge = Challenge.from_dict((await stranger.get("/api/v1/puzzles")).json())
    solution = await asyncio.to_thread(solve_challenge, challenge)
    if solution is None:
        raise Stop("验证没有解出")
    return Payload(challenge, solution).to_base64()


# ---- the whole


async def walk(url: str, out: Path, centre_password: str, centre_key: str, seed: int) -> None:
    run = f"{seed % 1_000_000:06d}"
    first = PEOPLE_FROM + seed * (TRAINEES + 1)
    teacher_person, *people = (make_person(first + number) for number in range(TRAINEES + 1))

    civil = CivilTime(url)
    await civil.now()
    say("1. 部指导中心：为培训机构和省级管理部门分配账号，登记骨干教师；两人首次登录修改密码")
    officer, province = await centre_prepares(url, centre_password, centre_key, run, teacher_person)

    say("2. 邢台技师学院：年度培训计划报河北省批准，再按计划申请开班，批准后建立培训班")
    first_day = ((await civil.now()) + AHEAD).date()
    class_id = await class_is_made(officer, province, run, first_day)
    say(f"  {first_day} 开班，十天 80 课时")

    say("3. 骨干教师：微信登录，实名绑定，接受授课和考核的邀请函")
    teacher = Phone(url, f"journey-{run}-teacher", teacher_person)
    await teacher.log_in()
    teacher_id = (await teacher.bind_real_name())["person_id"]
    await institution_invites(officer, class_id, teacher, teacher_id)

    say("4. 培训方案：机构起草，骨干教师签署，河北省审核通过，课次和考核任务按方案安排")
    await scheme_is_filed(officer, province, teacher, class_id, teacher_id, first_day)

    say(
        f"5. 招生：导入名册（{ON_ROSTER} 人，先预览，后确认），{TRAINEES - ON_ROSTER} 人在小程序报名，机构和教师共同审核"
    )
    await institution_imports_roster(officer, class_id, people[:ON_ROSTER])
    trainees = [Phone(url, f"journey-{run}-{number}", one) for number, one in enumerate(people)]
    await some_at_once(one.log_in() for one in trainees)
    bound = await some_at_once(one.bind_real_name() for one in trainees[:ON_ROSTER])
    say(f"  {bound[0]['name']} {bound[0]['id_number_masked']}：{bound[0]['evidence']['title']}")
    now = await civil.now()
    admitted = await some_apply_themselves(officer, teacher, trainees[ON_ROSTER:], class_id, now)
    await civil.move_to(datetime.combine(first_day, time(7, 30), BEIJING))
    say(f"  演示时间推进到 {first_day} 7:30：入学通知，签署承诺书，核对身份证报到")
    person_ids = [one["person_id"] for one in bound] + admitted
    await everybody_arrives(officer, trainees, person_ids, class_id)

    say("6. 上课：十天，每天两个半天，全班同时签到；提交学习成果，骨干教师评分")
    sessions = await ten_days_are_lived(civil, teacher, trainees, class_id)
    say(f"  十天结束，实际完成 {sum(one['hours'] for one in sessions)} 课时")
    await teacher_grades(teacher, class_id)

    say("7. 满意度评价：最后一次课结束时自动开放，匿名，每人一次")
    await some_at_once(answer_survey(one, class_id) for one in trainees)

    say("8. 公布成绩，核发证书")
    await institution_issues(officer, class_id)
    certificates = await some_at_once(fetch_certificate(one, class_id, out) for one in trainees)
    numbers = sorted(one["number"] for one in certificates)
    say(f"  证书编号 {numbers[0]} 至 {numbers[-1]}，PDF 和 PNG 在 {out}")

    say("9. 任何人：扫码验证，按姓名和编号查询")
    await anybody_checks(url, certificates, people)
    say(f"完成：{len(certificates)} 张证书全部验证为有效。")

    for who in (officer, province):
        await who.close()
    for phone in (teacher, *trainees):
        await phone.close()
    await civil.close()


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
        "--centre-password", help="password of the account centre, if it is not that of the demonstration"
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
