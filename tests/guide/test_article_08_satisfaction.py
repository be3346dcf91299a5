"""第八条: 年度满意度平均分不少于2分（满分3分）."""

from decimal import Decimal

import pytest

from server.kernel.platform import Platform
from server.surveys import rules
from server.surveys import service as surveys
from server.surveys.rules import Tally
from server.wechat.simulator import Simulator
from tests import stage
from tests.surveying import let_it_end, open_survey


def test_4_1_the_scale_is_full_at_three_points() -> None:
    """第八条（四）1: 满分3分。"""
    assert max(rules.SCALE) == 3 and min(rules.SCALE) == 1


@pytest.mark.parametrize(
    ("counts", "meets"), [((0, 1, 0), True), ((1, 0, 1), True), ((2, 0, 1), False), ((1, 200, 0), False)]
)
def test_4_1_a_mean_of_two_meets_the_mark_and_less_does_not(
    counts: tuple[int, int, int], meets: bool
) -> None:
    """第八条（四）1: 不少于2分; also where the mean of two decimals would be rounded up to it."""
    assert Tally(counts).meets_mark is meets


async def test_4_1_the_year_gathers_what_trainees_answered_about_the_teacher(
    platform: Platform, wechat: Simulator
) -> None:
    """第八条（四）1: 年度满意度平均分, from the questions about this teacher and not those about the organisation."""
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    for phone in opened.trainees:
        answers = {one.key: 2 if one.teacher_id else 1 for one in survey.questions if one.kind == "scale"}
        await surveys.answer_survey(platform, phone.actor, survey.id, answers)
    await let_it_end(platform, survey)
    year = await surveys.my_satisfaction(platform, opened.teacher.actor, 2026)
    assert year.tally is not None
    assert (year.tally.mean, year.tally.meets_mark) == (Decimal("2.00"), True)
