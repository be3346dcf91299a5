"""A pile of work graded on a phone: the light list, one piece with its versions, and what comes next; and what a trainee opens."""

from __future__ import annotations

from typing import Any

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import call
from tests.assessing import hand_in, set_task


async def test_a_teacher_grades_one_after_the_other(platform: Platform, wechat: Simulator, site: str) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=3)
    task, token = await set_task(platform, held), held.teacher.token
    first = await hand_in(platform, held.trainees[0], task, "第一稿")
    second = await hand_in(platform, held.trainees[0], task, "第二稿")
    other = await hand_in(platform, held.trainees[2], task)

    async def get(path: str) -> Any:
        answer = await call(site, "GET", f"/teaching{path}", token=token)
        assert answer.status == 200, answer.body
        return answer.json

    page = await get(f"/tasks/{task.id}/work?only=ungraded&limit=1")
    assert [one["submission_id"] for one in page["items"]] == [second.id] and page["ungraded"] == 2
    assert "text" not in page["items"][0]
    rest = await get(f"/tasks/{task.id}/work?only=ungraded&limit=1&cursor={page['next']}")
    assert ([one["submission_id"] for one in rest["items"]], rest["next"]) == ([other.id], None)
    everybody = (await get(f"/tasks/{task.id}/work"))["items"]
    assert [one["version"] for one in everybody] == [2, None, 1]
    assert (await get(f"/tasks/{task.id}"))["title"] == task.title

    old = await get(f"/submissions/{first.id}")
    assert (old["newest"], old["newer_id"], old["older_id"]) == (False, second.id, None)
    assert [one["text"] for one in old["versions"]] == ["第二稿", "第一稿"]
    assert old["next_ungraded"] == other.id

    grade = {"scores": {"c1": 40, "c2": 30}, "comment": "好"}
    path = f"/teaching/submissions/{second.id}/grade"
    saved = await call(site, "PUT", path, token=token, body=grade)
    assert (saved.status, saved.json["next_ungraded"]) == (200, other.id)
    last = await call(site, "PUT", path.replace(second.id, other.id), token=token, body=grade)
    assert last.json["next_ungraded"] is None
    mine = (await get(f"/tasks/{task.id}/work?only=mine"))["items"]
    assert [one["submission_id"] for one in mine] == [second.id, other.id]
    assert (await get(f"/tasks/{task.id}/work?only=late"))["items"] == []


async def test_a_trainee_opens_one_task_and_one_version(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=2)
    task = await set_task(platform, held)
    work = await hand_in(platform, held.trainees[0], task, "我的")
    mine, other = held.trainees
    told = await call(site, "GET", f"/tasks/{task.id}", token=mine.token)
    assert (told.json["title"], told.json["submission"]["id"]) == (task.title, work.id)
    assert (await call(site, "GET", f"/submissions/{work.id}", token=mine.token)).json["text"] == "我的"
    refused = await call(site, "GET", f"/submissions/{work.id}", token=other.token)
    assert (refused.status, refused.problem) == (404, "not-found")


async def test_a_timetable_of_all_classes_and_one_session(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)  # on 2026-03-17
    for phone, part in ((held.trainees[0], "attending"), (held.teacher, "teaching")):
        day = await call(site, "GET", "/sessions?from=2026-03-17&to=2026-03-17", token=phone.token)
        assert [(one["id"], one["part"]) for one in day.json["items"]] == [(session.id, part)]
    after = await call(site, "GET", "/sessions?from=2026-03-18&to=2026-03-20", token=held.teacher.token)
    assert after.json["items"] == []
    wrong = await call(site, "GET", "/sessions?from=2026-03-18&to=2026-03-17", token=held.teacher.token)
    assert (wrong.status, wrong.json["errors"][0]["place"]) == (422, "to")
    mine = await call(site, "GET", f"/sessions/{session.id}", token=held.trainees[0].token)
    assert (mine.json["title"], mine.json["class_id"]) == (session.title, held.id)
    theirs = await call(site, "GET", f"/teaching/sessions/{session.id}", token=held.teacher.token)
    assert theirs.json["id"] == session.id
