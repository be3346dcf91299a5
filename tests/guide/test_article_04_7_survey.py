"""第四条（五）（七）: 培训监督评估, by the trainees' own words."""

from server.kernel.platform import Platform
from server.surveys import rules
from server.surveys import service as surveys
from server.wechat.simulator import Simulator
from tests import stage
from tests.surveying import answer, let_it_end, open_survey


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
    let_it_end(platform, survey)
    seen = await surveys.class_survey(platform, opened.officer, opened.id)
    assert seen.results is not None and len(seen.results.subjects) == 2
    assert await platform["audit"].count_documents({"subject": survey.id, "action": "surveys:answer"}) == 5
