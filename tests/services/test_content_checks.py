"""What people publish is shown to WeChat's content check: refused, flagged or asked about later, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient

from server.assessment import submissions, tasks
from server.assessment.documents import Submission
from server.assessment.rules import TaskKind
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import CriterionDraft, TaskDraft
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.messages import wechat_events
from server.surveys import service as surveys
from server.surveys.rules import QuestionKind
from server.wechat import content, content_store, text_checks
from server.wechat.content import CheckSettled, ContentRefused
from server.wechat.content_documents import ContentCheck, State
from server.wechat.pusher import PushTarget
from server.wechat.simulator import Simulator
from server.wechat.text_checks import LONGEST, OVERLAP, pieces
from server.wechat.world import Failure
from tests import cast, stage
from tests.stage import ClassInSession, Phone
from tests.surveying import open_survey

CHECK, MEDIA = "/wxa/msg_sec_check", "/wxa/media_check_async"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 600
OFFICER = stage.actor(cast.XINGTAI_OFFICER)


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=1)


@pytest.fixture
async def task_id(platform: Platform, held: ClassInSession) -> str:
    draft = TaskDraft(
        title="教学设计",
        kind=TaskKind.FORMATIVE,
        deadline=platform.clock.now() + timedelta(days=2),
        criteria=[CriterionDraft(title="任务分析", points=100)],
    )
    return (await tasks.create_task(platform, held.officer, held.id, draft)).id


@pytest.fixture
def pushed(site: str, platform: Platform, wechat: Simulator) -> None:
    wechat.push_to(PushTarget(f"{site}/wechat/push", wechat_events.keys_of(platform)))


async def hand_in(
    platform: Platform, trainee: Phone, task_id: str, text: str = "", picture: bytes | None = None
) -> Submission:
    upload = await submissions.begin_upload(platform, trainee.actor, task_id)
    if picture is not None:
        await upload.begin("课堂.png")
        await upload.write(picture)
        await upload.end()
    draft = SubmissionDraft(own_work=True, text=text)
    return (await submissions.hand_in(platform, trainee.actor, task_id, draft, upload))[0]


async def flagged(platform: Platform) -> list[ContentCheck]:
    return await content.listed(platform, OFFICER, flagged=True, limit=20)


async def state_of_picture(platform: Platform) -> State:
    [row] = await platform["content_checks"].find({"file_id": {"$ne": None}}).to_list(None)
    return ContentCheck.from_mongo(row).state


# ---- texts


@given(st.text(min_size=1, max_size=9000))
def test_the_pieces_of_a_text_lose_nothing_and_are_short_enough(text: str) -> None:
    found = pieces(text)
    assert all(len(one) <= LONGEST for one in found)
    assert found[0] + "".join(one[OVERLAP:] for one in found[1:]) == text


async def test_a_risky_text_is_refused_and_leaves_nothing(
    platform: Platform, held: ClassInSession, task_id: str
) -> None:
    with pytest.raises(ContentRefused) as refused:
        await hand_in(platform, held.trainees[0], task_id, "含违规内容", PNG)
    assert [field.place for field in refused.value.fields] == ["text"]
    assert await platform["submissions"].count_documents({}) == 0
    assert await platform["files.files"].count_documents({}) == 0
    assert not await flagged(platform)


async def test_words_far_inside_a_long_text_are_found(
    platform: Platform, held: ClassInSession, task_id: str
) -> None:
    with pytest.raises(ContentRefused):
        await hand_in(platform, held.trainees[0], task_id, "好" * (LONGEST - 2) + "违规内容" + "好" * 3000)


async def test_a_doubtful_text_is_accepted_and_flagged_for_a_person(
    platform: Platform, held: ClassInSession, task_id: str
) -> None:
    kept = await hand_in(platform, held.trainees[0], task_id, "含存疑内容")
    [check] = await flagged(platform)
    assert (check.state, check.text, check.title) == (State.REVIEW, "含存疑内容", "学习成果《教学设计》")
    marks = await submissions.marks(platform, [kept.id])
    assert marks[kept.id]["text"].title == "需人工查看"


async def test_a_text_that_passes_leaves_no_row(
    platform: Platform, held: ClassInSession, task_id: str
) -> None:
    await hand_in(platform, held.trainees[0], task_id, "课讲得很好")
    assert await platform["content_checks"].count_documents({}) == 0


@pytest.mark.parametrize("failure", ["disconnect", "gibberish", "bad-gateway", -1, 45009, 45011, 40001])
async def test_while_wechat_is_down_the_text_is_accepted_and_checked_later(
    platform: Platform,
    wechat: Simulator,
    held: ClassInSession,
    task_id: str,
    clock: FixedClock,
    failure: Failure,
) -> None:
    wechat.world.fail(CHECK, failure)
    await hand_in(platform, held.trainees[0], task_id, "含违规内容")
    assert await content.check_waiting(platform) == {"待检查": 1}
    wechat.world.heal()
    assert await content.check_waiting(platform) == {}, "it waits two minutes before it tries again"
    clock.advance(timedelta(minutes=2))
    assert await content.check_waiting(platform) == {"疑似违规": 1}
    assert [one.state for one in await flagged(platform)] == [State.RISKY]


async def test_a_text_that_could_not_be_checked_for_two_hours_is_for_a_person(
    platform: Platform, wechat: Simulator, held: ClassInSession, task_id: str, clock: FixedClock
) -> None:
    wechat.world.fail(CHECK, -1)
    await hand_in(platform, held.trainees[0], task_id, "课讲得很好")
    clock.advance(timedelta(hours=2))
    assert await content.check_waiting(platform) == {"未能自动检查": 1}
    assert [one.state for one in await flagged(platform)] == [State.UNCHECKED]


async def test_a_phone_that_wechat_has_not_seen_lately_is_not_asked_about_again(
    platform: Platform, wechat: Simulator, held: ClassInSession, task_id: str
) -> None:
    wechat.world.fail(CHECK, text_checks.NOT_SEEN_LATELY)
    await hand_in(platform, held.trainees[0], task_id, "课讲得很好")
    assert [one.state for one in await flagged(platform)] == [State.UNCHECKED]


async def test_a_remark_in_a_survey_is_refused_when_risky_and_noted_nowhere_when_doubtful(
    platform: Platform, held: ClassInSession
) -> None:
    survey = await open_survey(platform, held)
    [remark] = [one.key for one in survey.questions if one.kind is QuestionKind.TEXT][-1:]
    scale: Mapping[str, int | str] = {
        one.key: 3 for one in survey.questions if one.kind is QuestionKind.SCALE
    }
    with pytest.raises(ContentRefused) as refused:
        await surveys.answer_survey(
            platform, held.trainees[0].actor, survey.id, {**scale, remark: "违规内容"}
        )
    assert [field.place for field in refused.value.fields] == [f"answers.{remark}"]
    assert await surveys.answer_survey(
        platform, held.trainees[0].actor, survey.id, {**scale, remark: "存疑内容"}
    )
    assert await platform["content_checks"].count_documents({}) == 0


# ---- pictures


@pytest.mark.parametrize(
    ("inside", "state"),
    [("", State.PASSED), ("违规内容", State.RISKY), ("存疑内容", State.REVIEW)],
)
async def test_the_verdict_on_a_picture_comes_by_push(
    platform: Platform,
    wechat: Simulator,
    held: ClassInSession,
    task_id: str,
    pushed: None,
    inside: str,
    state: State,
) -> None:
    kept = await hand_in(platform, held.trainees[0], task_id, picture=PNG + inside.encode())
    assert await content.check_waiting(platform) == {"检查中": 1}
    await wechat.pusher.settled()
    assert await state_of_picture(platform) is state
    marks = await submissions.marks(platform, [kept.id])
    assert marks[kept.id][kept.files[0].id].title == state.label


async def test_a_verdict_that_comes_before_its_trace_is_known_is_not_lost(
    platform: Platform, held: ClassInSession, task_id: str
) -> None:
    await hand_in(platform, held.trainees[0], task_id, picture=PNG)
    [row] = await platform["content_checks"].find({}).to_list(None)
    await content_store.meet_told(platform, "trace-1", "risky", 20006, platform.clock.now())
    assert await content._asked(platform, content.JOB, row["_id"], "trace-1") is State.RISKY
    assert await state_of_picture(platform) is State.RISKY


async def test_a_late_verdict_says_the_last_word_only_where_nobody_has(
    platform: Platform, wechat: Simulator, held: ClassInSession, task_id: str, pushed: None, clock: FixedClock
) -> None:
    await hand_in(platform, held.trainees[0], task_id, picture=PNG + "违规内容".encode())
    wechat.world.hold()
    await content.check_waiting(platform)
    await wechat.pusher.settled()
    clock.advance(timedelta(hours=2))
    assert await content.check_waiting(platform) == {"未能自动检查": 1}
    [check] = await flagged(platform)
    await content.decide(platform, OFFICER, check.id, harmless=True, note="")
    wechat.world.release()
    await wechat.pusher.settled()
    assert [row["status"] for row in wechat.world.pushes] == [200]
    assert await state_of_picture(platform) is State.CLEARED


async def test_a_late_verdict_counts_where_the_check_was_given_up(
    platform: Platform, wechat: Simulator, held: ClassInSession, task_id: str, pushed: None, clock: FixedClock
) -> None:
    await hand_in(platform, held.trainees[0], task_id, picture=PNG)
    wechat.world.hold()
    await content.check_waiting(platform)
    await wechat.pusher.settled()
    clock.advance(timedelta(hours=2))
    await content.check_waiting(platform)
    wechat.world.release()
    await wechat.pusher.settled()
    assert await state_of_picture(platform) is State.PASSED


async def test_a_verdict_that_never_comes_is_asked_for_again(
    platform: Platform, wechat: Simulator, held: ClassInSession, task_id: str, clock: FixedClock
) -> None:
    await hand_in(platform, held.trainees[0], task_id, picture=PNG)
    for _ in range(2):
        assert await content.check_waiting(platform) == {"检查中": 1}
        clock.advance(timedelta(minutes=40))
    assert wechat.world.calls[MEDIA] == 2


async def test_the_link_to_a_picture_lives_for_minutes_and_opens_nothing_else(
    platform: Platform, site: str, held: ClassInSession, task_id: str, clock: FixedClock
) -> None:
    kept = await hand_in(platform, held.trainees[0], task_id, picture=PNG)
    path = content.media_link(platform, kept.files[0].id).removeprefix(platform.settings.home)
    client = AsyncHTTPClient()
    answer = await client.fetch(site + path)
    assert (answer.body, answer.headers["Content-Type"]) == (PNG, "image/png")
    forged = path[:-1] + ("0" if path[-1] != "0" else "1")
    later = path.replace(path.split("-")[1], str(int(path.split("-")[1]) + 1))
    for wrong in (forged, later):
        assert (await client.fetch(site + wrong, raise_error=False)).code == 404
    clock.advance(content.LINK_LIVES)
    assert (await client.fetch(site + path, raise_error=False)).code == 404


# ---- people


async def test_a_person_decides_once_and_the_words_go(
    platform: Platform, held: ClassInSession, task_id: str
) -> None:
    await hand_in(platform, held.trainees[0], task_id, "含存疑内容")
    [check] = await flagged(platform)
    with pytest.raises(Invalid):
        await content.decide(platform, OFFICER, check.id, harmless=False, note=" ")
    done = await content.decide(platform, OFFICER, check.id, harmless=False, note="已要求学员修改")
    assert (done.state, done.text, done.decided_by) == (State.CONFIRMED, None, OFFICER.name)
    with pytest.raises(CheckSettled):
        await content.decide(platform, OFFICER, check.id, harmless=True, note="")
    assert not await flagged(platform)


async def test_a_neighbour_sees_nothing_of_it(platform: Platform, held: ClassInSession, task_id: str) -> None:
    await hand_in(platform, held.trainees[0], task_id, "含存疑内容")
    [check] = await flagged(platform)
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    assert not await content.listed(platform, neighbour, flagged=True, limit=20)
    with pytest.raises(NotFound):
        await content.get_check(platform, neighbour, check.id)
    with pytest.raises(NotFound):
        await content.decide(platform, neighbour, check.id, harmless=True, note="")


async def test_two_jobs_at_once_ask_about_each_thing_once(
    platform: Platform, wechat: Simulator, held: ClassInSession, task_id: str, clock: FixedClock
) -> None:
    wechat.world.fail(CHECK, -1)
    for _ in range(5):
        await hand_in(platform, held.trainees[0], task_id, "课讲得很好")
    wechat.world.heal()
    asked = wechat.world.calls[CHECK]
    counts = await asyncio.gather(*(content.check_waiting(platform) for _ in range(3)))
    assert sum(one.get("检查通过", 0) for one in counts) == 5
    assert wechat.world.calls[CHECK] - asked == 5
