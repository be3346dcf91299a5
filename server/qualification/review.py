"""The daily review of dynamic management (articles 5.3 and 9.1): everybody, in batches; it opens cases and gives early warnings.

It proposes and never punishes. It may be cut off and run again: what there is already is not made twice (unique indexes).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.classes.rules import LONGEST_DAYS
from server.institutions import service as institutions
from server.interruptions import facts as interruptions
from server.invitations import engagements
from server.invitations.rules import DoneTask
from server.kernel import policies
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.history import step
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.qualification import base_requests, examination, store, training
from server.qualification.coming import Coming, coming
from server.qualification.documents import Case, EarlyWarning, Fact
from server.qualification.examination import Examined
from server.qualification.rules import Action, Grade, Rule, Subject, Verdict
from server.qualification.store import AlreadyThere

JOB = system("qualification-review")
BATCH = 500
"""Subjects that are examined at once."""
IN_ONE_TRANSACTION = 50
"""Cases and warnings that are written together."""

Finding = tuple[Examined, Verdict]


async def review(platform: Platform) -> Mapping[str, int]:
    """Examines every teacher of the pool and every base; returns what it did, in Chinese words."""
    today = beijing_date(platform.clock.now())
    counts = Counter({"核查": 0, "立案": await base_requests.hear(platform), "预警": 0})
    async for batch in _everybody(platform, today):
        counts["核查"] += len(batch)
        findings = await _new(platform, batch)
        for at in range(0, len(findings), IN_ONE_TRANSACTION):
            counts.update(await _write(platform, findings[at : at + IN_ONE_TRANSACTION], today))
    return counts


async def _everybody(platform: Platform, today: date) -> AsyncIterator[list[Examined]]:
    bad_years = (await policies.on(platform, today)).satisfaction_bad_years
    before: str | None = None
    while members := await backbone.list_pool(platform, JOB, before=before, limit=BATCH):
        before = members[-1].id
        present = [member for member in members if member.status is not PoolStatus.CANCELLED]
        yield await examination.teachers(platform, present, today, bad_years=bad_years)
    code = ""
    while schools := await institutions.institutions_after(platform, code, BATCH):
        code = schools[-1].id
        yield await examination.bases(platform, schools, today)


async def _new(platform: Platform, batch: Sequence[Examined]) -> list[Finding]:
    """The verdicts that have no case and no warning yet."""
    found = [(one, verdict) for one in batch for verdict in one.verdicts]
    given = await store.given_warnings(platform, sorted({one.subject_id for one, _ in found}))
    return [
        (one, verdict)
        for one, verdict in found
        if not _has_case(one, verdict)
        and (verdict.subject, verdict.rule, verdict.key, verdict.grade) not in given
    ]


def _has_case(one: Examined, verdict: Verdict) -> bool:
    """Whether this period has its case, or another case of the rule (about a base: of any rule) is still open."""
    return any(
        (case.open and case.rule.subject is Subject.BASE)
        or (case.rule is verdict.rule and (case.open or case.key == verdict.key))
        for case in one.earlier
    )


async def _write(platform: Platform, findings: Sequence[Finding], today: date) -> Mapping[str, int]:
    """Those that another review has made meanwhile are left as they are."""
    try:
        return await _record(platform, JOB, findings, today)
    except AlreadyThere:
        if len(findings) == 1:
            return {}
    counts: Counter[str] = Counter()
    for one in findings:
        counts.update(await _write(platform, [one], today))
    return counts


@transactional
async def _record(unit: UnitOfWork, findings: Sequence[Finding], today: date) -> Mapping[str, int]:
    cases = [(one, verdict) for one, verdict in findings if verdict.grade is Grade.CASE]
    warnings = [(one, verdict) for one, verdict in findings if verdict.grade is not Grade.CASE]
    days = (await policies.on(unit, today)).statement_days
    last_tasks = await _last_tasks(unit, cases)
    opened = [
        Case(
            **_about(one, verdict),
            facts=await _facts(unit, one, verdict, last_tasks),
            opened_on=today,
            state_until=today + timedelta(days=days),
            history=[step(unit, Action.OPEN)],
        )
        for one, verdict in cases
    ]
    given = [
        EarlyWarning(**_about(one, verdict), grade=verdict.grade, given_on=today) for one, verdict in warnings
    ]
    await store.insert_cases(unit, opened)
    await store.insert_warnings(unit, given)
    for case in opened:
        unit.audit("qualification:open", case.id, about=case.subject_id, rule=case.rule.label, key=case.key)
        if case.subject is Subject.TEACHER:
            unit.notify(
                case.subject_id,
                "qualification-case",
                ground=case.rule.label,
                reply_until=case.state_until.isoformat(),
                case_id=case.id,
            )
    agreed = await coming(unit, given)
    for warning in given:
        unit.audit(
            "qualification:warn",
            warning.id,
            about=warning.subject_id,
            rule=warning.rule.label,
            grade=warning.grade.label,
        )
        if warning.subject is Subject.TEACHER:
            words = _warning_words(warning, agreed.get(warning.id))
            unit.notify(warning.subject_id, "qualification-warning", **words)
    return {"立案": len(opened), "预警": len(given)}


def _about(one: Examined, verdict: Verdict) -> dict[str, object]:
    return {
        "subject": one.subject,
        "subject_id": one.subject_id,
        "name": one.name,
        "unit_name": one.unit_name,
        "province_code": one.province_code,
        "institution_code": one.institution_code,
        "qualification_number": one.qualification_number,
        "rule": verdict.rule,
        "key": verdict.key,
        "first": verdict.first,
        "last": verdict.last,
    }


def _warning_words(warning: EarlyWarning, agreed: Coming | None) -> dict[str, str]:
    if warning.rule is Rule.LOW_SATISFACTION:
        return {
            "ground": f"{warning.last.year} 年度满意度平均分不足 2 分",
            "advice": "连续未达标的，部指导中心将按指南第九条核查骨干教师资格，请改进教学",
            "until": date(warning.last.year + 1, 12, 31).isoformat(),
        }
    advice = f"请在 {warning.last} 前承担任务，以免影响骨干教师资格"
    if agreed:
        in_time = agreed.starts_on <= warning.last
        answered = "开班后预警自动解除" if in_time else f"晚于期满日，{advice}"
        advice = f"您已接受的“{agreed.class_name}”将于 {agreed.starts_on} 开班，{answered}"
    return {
        "ground": f"自 {warning.first} 起未承担授课或考核任务",
        "advice": advice,
        "until": warning.last.isoformat(),
    }


# ---- what a case rests on, frozen when it is opened


async def _last_tasks(unit: UnitOfWork, cases: Sequence[Finding]) -> dict[str, DoneTask]:
    """The task, by teacher, with which the two years begin."""
    begins = {one.subject_id: verdict.first for one, verdict in cases if verdict.rule is Rule.NO_TASK}
    if not begins:
        return {}
    latest = max(begins.values()) + timedelta(days=LONGEST_DAYS)  # the class may have gone on without them
    done = await engagements.tasks_done(unit, list(begins), min(begins.values()), latest)
    return {task.teacher_id: task for task in done if task.work_last == begins[task.teacher_id]}


async def _facts(
    unit: UnitOfWork, one: Examined, verdict: Verdict, last_tasks: Mapping[str, DoneTask]
) -> list[Fact]:
    if verdict.rule is Rule.NO_TASK:
        task = last_tasks.get(one.subject_id)
        last = (
            f"“{task.class_name}”{task.kind.label}，最后一次 {task.work_last}" if task else "没有承担过任务"
        )
        named = [("登记入库", str(one.history.since)), ("最近一次任务", last), *_two_years(one, verdict)]
    elif verdict.rule is Rule.LOW_SATISFACTION:
        years = range(verdict.first.year, verdict.last.year + 1)
        settled = one.history.settled_year
        named = [
            ("登记入库", str(one.history.since)),
            *([("此前的决定", f"{settled} 年度及以前已作过决定，不重复计算")] if settled else []),
            *(_year(one, year) for year in years),
        ]
    else:
        last = await training.in_words(unit, one.institution_code or "")
        named = [
            ("资格起始", str(one.history.since)),
            ("最近一次开展培训", last),
            *_two_years(one, verdict),
            *await _force_majeure(unit, one, verdict),
        ]
    return [Fact(title=title, value=value) for title, value in named]


async def _force_majeure(unit: UnitOfWork, one: Examined, verdict: Verdict) -> list[tuple[str, str]]:
    """The classes of these two years that fell to 不可抗力: whoever decides shall know that the base meant to train."""
    since = datetime.combine(verdict.first, time(), BEIJING)
    fallen = await interruptions.fell_to_force_majeure(unit, one.institution_code or "", since)
    words = "；".join(f"“{name}”{what}" for name, what in fallen)
    return [("因不可抗力未能举办的培训班", words)] if fallen else []


def _two_years(one: Examined, verdict: Verdict) -> list[tuple[str, str]]:
    away = "；".join(f"{span.first} 至 {span.last or '今'}" for span in one.history.suspensions)
    settled = one.history.settled_on
    return [
        *([("此前的决定", f"{settled}，两年自该日重新起算")] if settled else []),
        ("暂停（不计入）", away or "无"),
        ("两年起止", f"{verdict.first} 至 {verdict.last}"),
    ]


def _year(one: Examined, year: int) -> tuple[str, str]:
    score = one.history.satisfaction.get(year)
    if score is None or not score.answers:
        return f"{year} 年度满意度", "没有评分"
    mean = score.points / score.answers
    return (
        f"{year} 年度满意度",
        f"{score.answers} 项评分共 {score.points} 分，平均 {mean:.3f} 分（满分 3 分）",
    )
