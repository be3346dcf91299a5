"""第九条（一）: 对两年内未承担工学一体化教师授课及考核任务或培训满意度未达标的骨干教师，取消其骨干教师资格。"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.classes.rules import Kind
from server.kernel.clock import FixedClock
from server.kernel.errors import Forbidden
from server.kernel.hearings import TooEarly
from server.kernel.platform import Platform
from server.qualification import paper, review
from server.qualification import service as qualification
from server.qualification.rules import Outcome, Rule, State
from server.qualification.service import DecisionDraft, ReversalDraft, StatementDraft
from server.wechat.simulator import Simulator
from tests import cast, reviewing
from tests.printed import text_of
from tests.reviewing import CENTRE, HEBEI, TODAY
from tests.services.test_tasks_of_teachers import a_task, keep

CANCEL = DecisionDraft(outcome=Outcome.CANCELLED, effective_on=TODAY, reason="两年内未承担任务，予以取消。")


async def status_of(platform: Platform, teacher_id: str) -> PoolStatus:
    member = await backbone.teacher_in_pool(platform, teacher_id)
    assert member is not None
    return member.status


@pytest.mark.parametrize("kind", Kind)
async def test_a_task_of_either_kind_within_two_years_keeps_a_teacher(platform: Platform, kind: Kind) -> None:
    """两年内未承担…授课及考核任务: one of either is enough."""
    teacher = await reviewing.registered(platform, date(2023, 1, 10))
    await keep(platform, a_task(teacher, date(2025, 1, 6), kind=kind))
    await review.review(platform)
    assert await reviewing.cases(platform) == []


async def test_what_was_accepted_and_not_done_is_no_task(platform: Platform) -> None:
    """未承担: an acceptance alone keeps nobody; while the class awaits its release nobody is idle."""
    nothing: dict[str, Any] = {"work_first": None, "work_last": None}
    one = await reviewing.registered(platform, date(2023, 1, 10), cast.person(1))
    other = await reviewing.registered(platform, date(2023, 1, 10), cast.person(2))
    await keep(platform, a_task(one, date(2025, 1, 6), **nothing))
    await keep(platform, a_task(other, date(2026, 2, 20), **nothing))  # ended on 3 March, not released yet
    await review.review(platform)
    assert [case.subject_id for case in await reviewing.cases(platform)] == [one]


async def test_two_years_without_a_task_open_a_case_and_take_nothing(
    platform: Platform, clock: FixedClock
) -> None:
    """动态管理 as cases: the review proposes, and the title stands until somebody decides."""
    teacher = await reviewing.registered(platform, date(2024, 3, 16))
    await review.review(platform)
    assert await reviewing.cases(platform) == []
    clock.advance(timedelta(days=1))
    await review.review(platform)
    [case] = await reviewing.cases(platform)
    assert case.rule is Rule.NO_TASK and await status_of(platform, teacher) is PoolStatus.ACTIVE


async def test_satisfaction_below_the_mark_warns_once_and_twice_opens_a_case(
    platform: Platform, clock: FixedClock
) -> None:
    """培训满意度未达标: one bad year or two is left open by the guide (policy): one warns, two in a row propose."""
    clock.advance(timedelta(days=30))
    recent = (date(2026, 2, 20),)
    await reviewing.registered(
        platform, date(2023, 1, 10), cast.person(1), tasks=recent, scores={2024: 2.0, 2025: 1.98}
    )
    twice = await reviewing.registered(
        platform, date(2023, 1, 10), cast.person(2), tasks=recent, scores={2024: 1.98, 2025: 1.98}
    )
    await review.review(platform)
    assert [one.key for one in await reviewing.warnings(platform)] == ["2025"]
    [case] = await reviewing.cases(platform)
    assert (case.subject_id, case.rule) == (twice, Rule.LOW_SATISFACTION)


async def test_the_teacher_is_told_and_heard_and_the_centre_decides(
    platform: Platform, wechat: Simulator
) -> None:
    """部指导中心对骨干教师实行动态管理: the teacher may state the case first, and nobody but the centre decides."""
    stood = await reviewing.teacher_case(platform, wechat)
    with pytest.raises(TooEarly):
        await qualification.decide(platform, CENTRE, stood.case.id, CANCEL)
    said = StatementDraft(text="去年因病住院，附有证明。")
    await qualification.state_own(platform, stood.teacher.actor, stood.case.id, said)
    with pytest.raises(Forbidden):
        await qualification.decide(platform, HEBEI, stood.case.id, CANCEL)
    await qualification.decide(platform, CENTRE, stood.case.id, CANCEL)
    assert await status_of(platform, stood.case.subject_id) is PoolStatus.CANCELLED


async def test_a_decision_has_a_paper_and_a_later_one_reverses_it(
    platform: Platform, wechat: Simulator
) -> None:
    """取消其骨干教师资格: on paper, from a day on; what was decided stays on record when it is taken back."""
    stood = await reviewing.teacher_case(platform, wechat)
    said = StatementDraft(text="去年因病住院，附有证明。")
    await qualification.state_own(platform, stood.teacher.actor, stood.case.id, said)
    decided = await qualification.decide(platform, CENTRE, stood.case.id, CANCEL)
    words = text_of(await paper.pdf(decided, "2026-0001"))
    assert "第九条（一）" in words and "决定自2026年3月16日起取消骨干教师资格" in words
    wanted = ReversalDraft(effective_on=TODAY, reason="补充材料属实，予以恢复。")
    reversed_ = await qualification.reverse(platform, CENTRE, stood.case.id, wanted)
    assert reversed_.state is State.REVERSED and reversed_.decisions[0] == decided.decisions[0]
    assert await status_of(platform, stood.case.subject_id) is PoolStatus.ACTIVE
    assert "撤销编号为2026-0001" in text_of(await paper.pdf(reversed_, "2026-0002")).replace(" ", "")
