"""WeChat's quota is everybody's: what a phone may not publish is never asked about, and what it may in as few questions as do.

Whoever used the quota up would have everybody's words taken unchecked.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.admissions import applying
from server.assessment import submissions
from server.assessment.rules import OwnWorkNotDeclared
from server.assessment.submissions import SubmissionDraft
from server.kernel.errors import TooManyRequests
from server.kernel.platform import Platform
from server.surveys import service as surveys
from server.surveys.documents import Survey
from server.surveys.service import RemarkUnchecked
from server.wechat import content, text_checks
from server.wechat.content import ContentRefused, Scene
from server.wechat.content_documents import State
from server.wechat.simulator import Simulator
from server.wechat.text_checks import LONGEST, bundled
from tests import admitting, cast, stage
from tests.api.client import call
from tests.publishing import CALLS, CHECK, REMARK, let_it_be_time, publish, publishing_world
from tests.security.world import World
from tests.stage import ClassInSession
from tests.surveying import answers_to, clock_of, open_survey

FLOOD = {f"k{number}": "讲得很好" for number in range(500)}
REFUSED = "这里含有违规内容。"


@pytest.fixture
async def world(platform: Platform, wechat: Simulator) -> World:
    built = await publishing_world(platform, wechat)
    wechat.world.calls.clear()
    return built


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=2)


@pytest.fixture
async def survey(platform: Platform, held: ClassInSession) -> Survey:
    return await open_survey(platform, held)


# ---- reach, state and form come first


async def test_a_flood_of_answers_asks_wechat_nothing(
    platform: Platform, wechat: Simulator, site: str, held: ClassInSession, survey: Survey
) -> None:
    token = held.trainees[0].token
    body = {"answers": FLOOD}
    nowhere = await call(site, "POST", f"/surveys/{'0' * 24}/responses", token=token, body=body)
    wrong = await call(site, "POST", f"/surveys/{survey.id}/responses", token=token, body=body)
    strange = await call(site, "POST", f"/surveys/{survey.id}/responses", token=held.teacher.token, body=body)
    clock_of(platform).set(survey.closes_at)
    right = {"answers": answers_to(survey, remark=REFUSED)}
    late = await call(site, "POST", f"/surveys/{survey.id}/responses", token=token, body=right)
    assert [one.status for one in (nowhere, wrong, strange, late)] == [404, 422, 404, 409]
    assert wechat.world.calls[CHECK] == 0


async def test_only_a_remark_that_is_kept_is_asked_about_and_once(
    platform: Platform, wechat: Simulator, held: ClassInSession, survey: Survey
) -> None:
    first, second = (one.actor for one in held.trainees)
    assert await surveys.answer_survey(platform, first, survey.id, answers_to(survey, remark="  "))
    assert wechat.world.calls[CHECK] == 0
    answers = answers_to(survey, remark="讲得很好")
    assert await surveys.answer_survey(platform, second, survey.id, answers)
    assert not await surveys.answer_survey(platform, second, survey.id, answers)
    assert wechat.world.calls[CHECK] == 1


async def test_who_may_not_publish_somewhere_asks_wechat_nothing(
    platform: Platform, wechat: Simulator, site: str, world: World
) -> None:
    others = {"teacher": "other-teacher", "trainee": "other-trainee", "other-trainee": "teacher"}
    for place in CALLS:
        let_it_be_time(platform, place)
        refused = await publish(site, world, place, REFUSED, by=others[place.who])
        assert refused.status in (403, 404, 409), (place, refused.status)
        assert refused.problem != "content-refused", place
    assert wechat.world.calls[CHECK] == 0


async def test_work_that_would_be_refused_is_not_asked_about(
    platform: Platform, wechat: Simulator, world: World
) -> None:
    trainee = world.phones["trainee"].actor
    upload = await submissions.begin_upload(platform, trainee, world.ids["task_id"])
    with pytest.raises(OwnWorkNotDeclared):
        await submissions.hand_in(
            platform, trainee, world.ids["task_id"], SubmissionDraft(text=REFUSED, own_work=False), upload
        )
    assert wechat.world.calls[CHECK] == 0


async def test_a_phone_of_nobodys_asks_nothing_before_it_says_whose_it_is(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await admitting.open_class(platform, wechat)
    phone = await stage.phone(platform, wechat, "openid-nobody")
    draft = admitting.draft_of(cast.STRANGER).model_copy(update={"real_name": None, "work_unit": REFUSED})
    with pytest.raises(applying.RealNameNeeded):
        await applying.apply(platform, phone.actor, opened.id, draft)
    assert wechat.world.calls[CHECK] == 0


async def test_what_was_published_before_is_not_asked_about_again(
    wechat: Simulator, site: str, world: World
) -> None:
    world.bodies["/remarks"] = {"nonce": "remark-0001"}
    for _ in range(3):
        assert (await publish(site, world, REMARK, "请加一次实训。")).status == 201
    assert wechat.world.calls[CHECK] == 1


# ---- few questions


@given(st.lists(st.text(max_size=2 * LONGEST), max_size=30))
def test_bundles_lose_no_text_and_fit_into_a_question(texts: list[str]) -> None:
    bundles = bundled(texts)
    assert [text for bundle in bundles for text in bundle] == list(dict.fromkeys(texts))
    assert all(len("\n".join(bundle)) <= LONGEST for bundle in bundles if len(bundle) > 1)


async def test_short_texts_are_asked_about_together(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    texts = {f"part{number}": f"第{number}条：讲得很好" for number in range(40)} | {
        "again": "第1条：讲得很好"
    }
    screened = await content.screen(platform, held.teacher.actor, Scene.COMMENT, texts)
    assert screened.doubts == () and wechat.world.calls[CHECK] == 1


async def test_of_texts_asked_about_together_the_wrong_one_is_named(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    texts = {"places": "一号楼", "materials": REFUSED, "objectives": "讲得很好"}
    with pytest.raises(ContentRefused) as refused:
        await content.screen(platform, held.teacher.actor, Scene.COMMENT, texts)
    assert [one.place for one in refused.value.fields] == ["materials"]
    doubtful = await content.screen(
        platform, held.teacher.actor, Scene.COMMENT, texts | {"materials": "含存疑内容"}
    )
    assert [(one.part, one.state) for one in doubtful.doubts] == [("materials", State.REVIEW)]


# ---- so many for one phone


async def test_one_phone_does_not_use_up_the_quota_of_all(
    platform: Platform, wechat: Simulator, site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_checks, "QUESTIONS", "2/hour")
    answers = [await publish(site, world, REMARK, f"请加{times}次实训。") for times in range(3)]
    assert [one.status for one in answers] == [201, 201, 429]
    assert "请稍后再试" in answers[-1].json["detail"]
    assert wechat.world.calls[CHECK] == 2
    other = world.phones["trainee"].actor
    await content.screen(platform, other, Scene.COMMENT, {"text": "讲得很好"})
    assert wechat.world.calls[CHECK] == 3


async def test_who_has_a_right_to_be_heard_is_heard_and_the_words_wait(
    platform: Platform, wechat: Simulator, held: ClassInSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_checks, "QUESTIONS", "1/hour")
    teacher, long = held.teacher.actor, {"text": "请听我说明。" * LONGEST}
    with pytest.raises(TooManyRequests):
        await content.screen(platform, teacher, Scene.COMMENT, long)
    heard = await content.screen(platform, teacher, Scene.COMMENT, long, refuse=False)
    assert [one.state for one in heard.doubts] == [State.WAITING] and wechat.world.calls[CHECK] == 0


# ---- what could not be checked


@pytest.mark.parametrize("failure", [45009, -1, "disconnect", text_checks.NOT_SEEN_LATELY])
async def test_a_remark_that_could_not_be_checked_is_refused_and_the_scale_is_taken(
    platform: Platform, wechat: Simulator, held: ClassInSession, survey: Survey, failure: int | str
) -> None:
    """It cannot wait for a check: the note would say who wrote it."""
    wechat.world.fail(CHECK, failure)  # type: ignore[arg-type]
    trainee = held.trainees[0].actor
    with pytest.raises(RemarkUnchecked) as refused:
        await surveys.answer_survey(platform, trainee, survey.id, answers_to(survey, remark=REFUSED))
    assert "请稍后再试" in refused.value.detail
    assert [one.place[:8] for one in refused.value.fields] == ["answers."]
    for collection in ("content_checks", "survey_respondents", "envelopes"):
        assert await platform[collection].count_documents({}) == 0
    assert await surveys.answer_survey(platform, trainee, survey.id, answers_to(survey))


async def test_nothing_that_is_kept_counts_who_wrote_a_remark(
    platform: Platform, site: str, held: ClassInSession, survey: Survey
) -> None:
    for phone, remark in zip(held.trainees, ("讲得很好", ""), strict=True):
        body = {"answers": answers_to(survey, remark=remark)}
        path = f"/surveys/{survey.id}/responses"
        assert (await call(site, "POST", path, token=phone.token, body=body)).status == 201
    counted = await platform["rate_limits"].find({"_id": {"$regex": "content-check"}}).to_list(None)
    windows = await platform["rate_limits"].find({"_id": {"$regex": "/responses"}}).to_list(None)
    assert counted == [] and [one["count"] for one in windows] == [1, 1]
