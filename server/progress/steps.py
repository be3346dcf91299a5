"""What waits in a class, a part of its way after the other: `rules` puts it in order. Pure.

Dates are the class's own, or follow from a policy; nothing is offered before its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial

from server.classes.rules import Kind, Stage
from server.progress.known import (
    NOT_HELD_STEP,
    SOON,
    ClassFacts,
    Letters,
    Owner,
    Phase,
    Step,
    phase_of,
    province_office,
)
from server.schemes.rules import State as SchemeState


def _step(
    facts: ClassFacts,
    owner: Owner,
    phase: Phase,
    key: str,
    title: str,
    path: str,
    *,
    since: date | None,
    due: date | None = None,
    who: Sequence[str] = (),
    blocked_by: str = "",
    item: str | None = None,
    beside: bool = False,
) -> Step:
    """`path` is below the address of the class, or an address under /admin; `who` are people, where it is not a whole institution."""
    url = path if path.startswith("/admin") else f"/admin/classes/{facts.class_id}{path}"
    named = {Owner.INSTITUTION: facts.institution_name, Owner.PROVINCE: province_office(facts.province_name)}
    words = "、".join(who) or named.get(owner, owner.label)
    own = f"class:{facts.class_id}:{key}"
    named_by = own if item is None else item
    return Step(title, owner, words, since, due, url, phase, blocked_by, key, named_by, beside)


def inviting(facts: ClassFacts, today: date) -> Iterator[Step]:
    """骨干教师 for 授课 and for 考核 (article 6), until the results are released."""
    if facts.released_on is not None:
        return
    over = facts.stage_on(today) is Stage.FINISHED  # a letter must be answered within the class
    make = partial(_step, facts, phase=Phase.PREPARE, path="/changes/postpone" if over else "/invitations")
    for kind in Kind:
        letters = facts.letters.get(kind, Letters())
        key = f"invite-{kind.lower()}"
        if letters.names:
            yield make(
                Owner.TEACHERS,
                key=f"answer-{kind.lower()}",
                title=f"答复{kind.label}邀请",
                since=letters.since,
                due=letters.reply_until,
                who=letters.names,
                beside=kind in facts.kinds,
            )
        elif kind not in facts.kinds:
            title = f"邀请骨干教师承担{kind.label}，还没有人接受邀请"
            if over:
                title = f"没有骨干教师承担{kind.label}，培训时间已过：申请延期后再邀请"
            elif letters.lost:
                title = f"{kind.label}邀请无人接受，请另邀骨干教师"
            since = letters.lapsed_on or facts.opened_on
            yield make(Owner.INSTITUTION, key=key, title=title, since=since, due=facts.due_of(since))
    if (lost := facts.unanswered) and not over:
        title = f"{lost.number} 封邀请函过期未复，可以另邀骨干教师"
        yield make(Owner.INSTITUTION, key="invite-others", title=title, since=lost.since, beside=True)


def scheme(facts: ClassFacts, today: date) -> Iterator[Step]:
    """培训方案 (article 4.3): written and signed together, filed with the province before the class begins."""
    scheme = facts.scheme
    if facts.released_on is not None or (scheme is None and (facts.governed or not facts.applied)):
        return
    make = partial(_step, facts, phase=Phase.PREPARE, path="/scheme")
    mine = partial(make, Owner.INSTITUTION, due=facts.ready_by)
    missing = "" if Kind.TEACHING in facts.kinds else "还没有骨干教师接受授课邀请"
    if scheme is None:
        yield mine(key="scheme-draft", title="起草培训方案", since=facts.opened_on, blocked_by=missing)
        return
    match scheme.state:
        case SchemeState.DRAFT:
            title = "查看授课教师修改的培训方案，送签" if scheme.by_teacher else "培训方案草稿：送教师签署"
            yield mine(key="scheme-send", title=title, since=scheme.since, blocked_by=missing)
        case SchemeState.RETURNED:
            due = scheme.since + timedelta(days=facts.days.revision)
            yield make(
                Owner.INSTITUTION,
                key="scheme-revise",
                title="培训方案被退回：修改后重新报送",
                since=scheme.since,
                due=due,
            )
        case SchemeState.SIGNING if scheme.unsigned:
            yield make(
                Owner.TEACHERS,
                key="scheme-sign",
                title="签署培训方案",
                since=scheme.since,
                due=facts.due_of(scheme.since),
                who=scheme.unsigned,
            )
        case SchemeState.SIGNING:
            since = max(scheme.since, scheme.signed_on or scheme.since)
            due = facts.due_of(since)
            yield mine(key="scheme-file", title="教师已签齐：报送培训方案", since=since, due=due)
        case SchemeState.SUBMITTED:
            due = scheme.since + timedelta(days=facts.days.review)
            yield make(
                Owner.PROVINCE,
                key="scheme-review",
                title="审核培训方案",
                since=scheme.since,
                due=due,
                item=f"scheme_versions:{scheme.id}",
            )


def changes(facts: ClassFacts, today: date) -> Iterator[Step]:
    """What was asked for and waits: 暂停、延期…, a place that the province looks at, results that are to be opened again."""
    review, phase = timedelta(days=facts.days.review), phase_of(facts, today)
    make = partial(_step, facts, phase=phase)
    if change := facts.change:
        days = timedelta(days=facts.days.revision) if change.returned else review
        what = "答复转班申请" if change.who else f"审核培训班变更：{change.kind}"
        yield make(
            change.waits_for,
            key="change-accept" if change.who else "change-revise" if change.returned else "change-review",
            title=f"{change.kind}申请被退回：重新申请或撤回" if change.returned else what,
            path=f"/admin/changes/{change.id}",
            since=change.since,
            due=change.since + days,
            who=(change.who,) if change.who else (),
            item="" if change.who else f"class_changes:{change.id}",
        )
    if facts.place:
        place_id, since = facts.place
        yield make(
            Owner.PROVINCE,
            key="place-review",
            title="核实培训地点",
            path=f"/admin/places/{place_id}",
            since=since,
            due=since + review,
            item=f"place_checks:{place_id}",
        )
    if facts.reopening:
        reopening_id, since = facts.reopening
        yield make(
            Owner.PROVINCE,
            key="reopening-review",
            title="审核重新开放成绩的申请",
            path=f"/admin/reopenings/{reopening_id}",
            since=since,
            due=since + review,
            item=f"reopenings:{reopening_id}",
        )


def enrolling(facts: ClassFacts, today: date) -> Iterator[Step]:
    """Who comes: by application or by roster (article 4.4)."""
    if facts.released_on is not None:
        return
    make = partial(_step, facts, phase=Phase.ENROL)
    over, closed = facts.stage_on(today) is Stage.FINISHED, facts.enrolment_closes
    if facts.roster_since and not over:
        yield make(
            Owner.INSTITUTION,
            key="roster-confirm",
            title="名册已上传，等待确认导入",
            path="/roster",
            since=facts.roster_since,
            due=max(facts.roster_since, facts.starts_on),
        )
    elif not facts.trainees and facts.applied and not over and facts.enrolment_opens is None:
        yield make(
            Owner.INSTITUTION,
            key="enrolment-open",
            title="还没有开放报名，也没有导入参训教师名册",
            path="/enrolment",
            since=facts.opened_on,
            due=facts.ready_by,
        )
    elif not facts.trainees and not over and (closed is None or today > closed):
        since = closed + timedelta(days=1) if closed else facts.opened_on
        yield make(
            Owner.INSTITUTION,
            key="roster-import",
            title="还没有导入参训教师名册" if closed is None else "报名已截止，还没有学员",
            path="/roster",
            since=since,
            due=facts.due_of(since),
        )
    for owner, count in (
        (Owner.INSTITUTION, facts.applicants),
        (Owner.TEACHERS, facts.applicants_of_teachers),
    ):
        if count:
            yield make(
                owner,
                key="applicants" if owner is Owner.INSTITUTION else "applicants-teachers",
                title=f"审核 {count.number} 份报名",
                path="/enrolment",
                since=count.since,
                due=count.since + timedelta(days=facts.days.review),
                who=facts.teaching_names if owner is Owner.TEACHERS else (),
            )


def coming(facts: ClassFacts, today: date) -> Iterator[Step]:
    """Phones and arrivals, from shortly before the class begins until it is over."""
    if facts.released_on is not None or not facts.starts_on - SOON <= today <= facts.ends_on:
        return
    make = partial(_step, facts, Owner.INSTITUTION, phase=Phase.ENROL, since=facts.near_from)
    if facts.teachers_unbound:
        named = "、".join(facts.teachers_unbound)
        title = f"请{named}绑定微信：没有绑定，不能显示签到码、签署和评分"
        yield make(key="bind-teachers", title=title, path="", due=facts.starts_on)
    if facts.trainees_unbound:
        title = f"{facts.trainees_unbound} 名学员的微信还没有绑定或确认，请其绑定或到现场核对"
        yield make(key="bind-trainees", title=title, path="/roster", due=facts.starts_on, beside=True)
    if facts.not_arrived and today >= facts.starts_on:
        yield _step(
            facts,
            Owner.INSTITUTION,
            Phase.ENROL,
            "arrivals",
            f"办理报到：{facts.not_arrived} 名学员还没有报到",
            "/arrivals",
            since=facts.starts_on,
            due=facts.starts_on,
        )


def teaching(facts: ClassFacts, today: date) -> Iterator[Step]:
    if facts.released_on is not None:
        return
    make = partial(_step, facts, Owner.INSTITUTION, phase=Phase.TEACH)
    for one in facts.sessions_today:
        yield make(
            key=f"session-{one.id}",
            title=f"今天 {one.span} 上课：{one.title}",
            path=f"/sessions/{one.id}",
            since=today,
            due=today,
            beside=True,
        )
    soon = facts.starts_on - SOON <= today <= facts.ends_on
    if soon and not facts.sessions and not facts.governed and not facts.applied:
        yield make(
            key="timetable",
            title="还没有安排课次",
            path="/sessions",
            since=facts.near_from,
            due=facts.starts_on,
        )
    if facts.nobodys:
        yield make(
            key="sessions-teacher",
            title=f"{facts.nobodys.number} 次课的授课教师已不在本班，请另行指定",
            path="/sessions/teachers",
            since=None,
            due=facts.nobodys.since,
        )
    under_way = _under_way(facts)
    if facts.not_held:
        lost = f"{facts.not_held.sessions} 次课没有人签到，{facts.not_held.hours} 课时不计入"
        yield make(
            key="not-held",
            title=f"{lost}：确已上课的补签，没有上的申请延期补课",
            path="/sessions",
            since=facts.not_held.since,
            due=facts.ends_on,
            blocked_by=under_way,
        )
    if facts.unscheduled and under_way:
        yield make(
            key="hours",
            title=f"{facts.unscheduled} 课时尚未安排，变更正在办理",
            path="",
            since=None,
            due=facts.ends_on,
            blocked_by=under_way,
        )
    elif facts.unscheduled:
        title = f"{facts.unscheduled} 课时尚未安排：申请延期补上"
        yield make(key="hours", title=title, path="/changes/postpone", since=None, due=facts.ends_on)


def _under_way(facts: ClassFacts) -> str:
    """That a change of the class waits for somebody's word: of one class one at a time."""
    return f"{facts.change.kind}申请尚未办结" if facts.change and not facts.change.returned else ""


def assessing(facts: ClassFacts, today: date) -> Iterator[Step]:
    """Grades by whoever assesses, and then the release."""
    if facts.released_on is not None:
        return
    if facts.ungraded:
        early = f"（另有 {facts.ungraded_early} 份未到截止）" if facts.ungraded_early else ""
        yield _step(
            facts,
            Owner.TEACHERS,
            Phase.ASSESS,
            "grade",
            f"批阅 {facts.ungraded.number} 份学习成果{early}",
            "/tasks",
            since=facts.ungraded.since,
            due=facts.ungraded.since + timedelta(days=facts.days.grading),
            who=facts.assessing_names,
        )
    ready = facts.releasable_since
    over = facts.stage_on(today) is Stage.FINISHED or facts.reopened is not None
    if not (over or ready) or not facts.trainees:
        return
    first = [f"{facts.ungraded.number} 份学习成果还没有批阅"] if facts.ungraded else []
    first += ["培训方案还没有批准"] if facts.applied and not facts.governed else []
    first += [] if facts.tasks else ["还没有设置学习任务"]
    first += _hours_first(facts)
    title, since = "培训已结束，核定并公布成绩", facts.ends_on + timedelta(days=1)
    if ready and not over:
        title, since = "课已上完，成果已批阅：核定并公布成绩", ready
    due = facts.ends_on + timedelta(days=facts.days.release)
    if facts.reopened is not None:
        why, since = facts.reopened
        title, due = f"成绩已重新开放，核定后重新公布（{why}）", since + timedelta(days=facts.days.release)
    yield _step(
        facts,
        Owner.INSTITUTION,
        Phase.ASSESS,
        "release",
        title,
        "/results",
        since=since,
        due=due,
        blocked_by="；".join(first),
    )


def _hours_first(facts: ClassFacts) -> Iterator[str]:
    """What of its hours a class lacks before its results may be released (articles 4.6 and 17)."""
    empty = facts.not_held.hours if facts.not_held else 0
    if facts.unscheduled:
        yield f"{facts.unscheduled} 课时尚未安排"
    if empty:
        yield f"{empty} 课时没有人签到"
    if (others := facts.missing - facts.unscheduled - empty) > 0:
        yield f"还差 {others} 课时"


def ending(facts: ClassFacts, today: date) -> Iterator[Step]:
    """Of a class that died there is one way out, and one way on: 取消开班 or, once a session has begun, 终止; or 延期 (article 25.4)."""
    why = "没有上过课" if facts.trainees else "没有学员"
    what, path = ("申请终止培训", "terminate") if facts.sessions else ("取消开班", "call-off")
    yield _step(
        facts,
        Owner.INSTITUTION,
        phase_of(facts, today),
        NOT_HELD_STEP,
        f"培训时间已过，{why}：{what}；还要办的，申请延期",
        f"/changes/{path}",
        since=facts.ends_on + timedelta(days=1),
        due=facts.ends_on + timedelta(days=facts.days.release),
        blocked_by=_under_way(facts),
    )


def closing(facts: ClassFacts, today: date) -> Iterator[Step]:
    """满意度评价 and 证书, which come after the last session and after the release (articles 8, 16 and 17)."""
    make = partial(_step, facts, phase=Phase.CLOSE)
    if survey := facts.survey:
        if survey.few:
            yield make(
                Owner.INSTITUTION,
                key="survey-few",
                title=f"{survey.few}，请提醒学员填写",
                path="/survey",
                since=survey.since,
                due=survey.closes_on,
                beside=True,
            )
        if survey.silent:
            yield make(
                Owner.TRAINEES,
                key="survey-answer",
                title=f"填写满意度评价：还有 {survey.silent} 人没有填写",
                path="/survey",
                since=survey.since,
                due=survey.closes_on,
                who=(f"{survey.silent} 名学员",),
                beside=True,
            )
    over = facts.stage_on(today) is Stage.FINISHED
    came = facts.held or not facts.not_held
    if over and not facts.surveyed and facts.sessions and came and facts.trainees and facts.kinds:
        yield make(
            Owner.INSTITUTION,
            key="survey-open",
            title="还没有开始满意度评价：发起评价",
            path="/survey",
            since=facts.ends_on + timedelta(days=1),
            due=facts.ends_on + timedelta(days=facts.days.release),
        )
    if facts.certificates_failed and facts.released_on is not None:
        yield make(
            Owner.INSTITUTION,
            key="certificates-failed",
            title=f"{facts.certificates_failed} 张证书没有制成：查看原因并重试",
            path="/certificates",
            since=facts.released_on,
            due=facts.released_on + timedelta(days=facts.days.issue),
        )
    if facts.certificates_due and facts.released_on is not None:
        yield make(
            Owner.INSTITUTION,
            key="certificates",
            title=f"{facts.certificates_due} 人可以核发证书",
            path="/certificates",
            since=(since := max(facts.released_on, facts.survey_closed_on or facts.released_on)),
            due=since + timedelta(days=facts.days.issue),
        )
