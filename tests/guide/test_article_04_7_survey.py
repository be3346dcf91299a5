"""第四条（五）（七）: 培训监督评估, by the trainees' own words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.certificates import issue
from server.certificates.rules import SurveyNotYetOpened, require_survey
from server.kernel import policies
from server.kernel.platform import Platform
from server.surveys import opening as survey_opening
from server.surveys import rules
from server.surveys import service as surveys
from server.surveys.rules import SurveyTooShort
from server.wechat.simulator import Simulator
from tests import stage
from tests.certifying import certificates_of, on_last_day, release
from tests.stage import ClassInSession
from tests.surveying import answer, clock_of, let_it_end, open_survey


def test_5_the_organisation_is_rated_in_what_the_institution_owes() -> None:
    """第四条（五）: 课程安排、场地设备、教材教具要求等，并安排专人做好班务管理和后勤服务。"""
    assert rules.ORGANISATION_TOPICS == ("课程安排", "场地设备", "教材教具", "班务管理", "后勤服务")


async def test_7_each_class_can_be_evaluated_by_everybody_who_attended_it(
    platform: Platform, wechat: Simulator
) -> None:
    """第四条（七）: 应运用监督评估工具表单，分析培训活动信息，开展培训效果评估; 培训过程可追溯。"""
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    assert await surveys.respondents(platform, opened.id) == {phone.actor.id for phone in opened.trainees}
    await let_it_end(platform, survey)
    seen = await surveys.class_survey(platform, opened.officer, opened.id)
    assert seen.results is not None and len(seen.results.subjects) == 2
    assert await platform["audit"].count_documents({"subject": survey.id, "action": "surveys:answer"}) == 5


async def test_7_the_evaluation_cannot_be_avoided(platform: Platform, wechat: Simulator) -> None:
    """第四条（七）: 开展培训效果评估: it opens at the end of the last session, and no certificate comes before it."""
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    session = await stage.teaching_session(platform, opened)
    clock_of(platform).set(on_last_day(opened))
    with pytest.raises(SurveyNotYetOpened):
        await without_looking(platform, opened)
    await stage.come(platform, opened.id)
    assert session.ends_at < platform.clock.now() and await survey_opening.open_due(platform) == 1
    survey = await surveys.survey_of_class(platform, opened.id)
    assert survey is not None and survey.teacher_ids == [opened.teacher.actor.id]
    with pytest.raises(SurveyTooShort):
        await surveys.close_survey(platform, opened.officer, opened.id)


async def without_looking(platform: Platform, opened: ClassInSession) -> None:
    """As issuing asks it, before it has opened what is due."""
    required = (await policies.on(platform, opened.training_class.ends_on)).survey_required
    require_survey(required=required, opened=await surveys.survey_of_class(platform, opened.id) is not None)


async def test_7_who_has_answered_may_have_the_certificate_on_the_last_day(
    platform: Platform, wechat: Simulator
) -> None:
    """第四条（六）、（七）: the survey is no reason to wait for who has done their part."""
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    clock_of(platform).set(on_last_day(opened) - timedelta(hours=2))
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:1])
    await release(platform, opened.id)
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 1
    [one] = await certificates_of(platform, opened.officer, opened.id)
    assert one.person_id == opened.trainees[0].actor.person_id
    assert one.printed.issued_on == opened.training_class.ends_on
