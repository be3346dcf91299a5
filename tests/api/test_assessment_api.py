"""学习成果 over HTTP: multipart uploads that stream, grading, and the result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from server.__main__ import make_application
from server.assessment.documents import Task
from server.assessment.rules import TaskKind
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.front_door import Limits
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.wechat.simulator import Simulator
from tests import cast, opening, stage
from tests.api.client import Answer, call
from tests.assessing import JPEG, PDF, assess_everybody, hand_in, release, set_task
from tests.security import raw
from tests.stage import ClassInSession, Phone

BOUNDARY = "----a-boundary-of-the-tests"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
Files = Sequence[tuple[str, bytes]]
DECLARED: dict[str, str | bytes] = {"own_work": "true"}


def form(fields: Mapping[str, str | bytes], files: Files = ()) -> bytes:
    parts = []
    for name, value in fields.items():
        content = value.encode() if isinstance(value, str) else value
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content)
    for file_name, content in files:
        head = f'Content-Disposition: form-data; name="files"; filename="{file_name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content)
    return (
        b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY.encode(), part) for part in parts)
        + f"--{BOUNDARY}--\r\n".encode()
    )


async def post(site: str, phone: Phone, task: Task, body: bytes, kind: str = FORM) -> Answer:
    response = await AsyncHTTPClient().fetch(
        f"{site}/api/v1/tasks/{task.id}/submissions",
        method="POST",
        headers={**phone.headers, "Content-Type": kind},
        body=body,
        raise_error=False,
    )
    return Answer(response.code, response.headers, response.body)


async def submit(site: str, phone: Phone, task: Task, files: Files = (), **fields: str | bytes) -> Answer:
    return await post(site, phone, task, form(DECLARED | fields, files))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what the server does after nobody is there any more to be answered."""
    async with asyncio.timeout(120):
        while not await condition():  # noqa: ASYNC110 - nothing can tell: the phone is gone
            await asyncio.sleep(0.01)


async def kept(platform: Platform) -> tuple[int, int, int]:
    """Files, chunks and uploads under way."""
    return (
        await platform.db["files.files"].count_documents({}),
        await platform.db["files.chunks"].count_documents({}),
        await platform["uploads"].count_documents({}),
    )


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=2)


@pytest.fixture
async def task(platform: Platform, opened: ClassInSession) -> Task:
    return await set_task(platform, opened)


@pytest.fixture
def phone(opened: ClassInSession) -> Phone:
    return opened.trainees[0]


# ---- handing in


async def test_a_submission_with_text_and_files_is_kept(
    platform: Platform, site: str, phone: Phone, task: Task
) -> None:
    answer = await submit(
        site, phone, task, [("教案（终稿）.pdf", PDF), ("IMG_1", JPEG)], text="说明\n第二行"
    )
    assert answer.status == 201, answer.body
    assert answer.json["version"] == 1 and answer.json["late"] is False
    assert answer.json["text"] == "说明\n第二行"
    assert [(one["name"], one["media_type"], one["size"]) for one in answer.json["files"]] == [
        ("教案（终稿）.pdf", "application/pdf", len(PDF)),
        ("IMG_1.jpg", "image/jpeg", len(JPEG)),
    ]
    again = await submit(site, phone, task, text="第二版")
    versions = await call(site, "GET", f"/tasks/{task.id}/submissions", token=phone.token)
    assert versions.json == {"items": [again.json, answer.json], "next": None}
    page = await call(site, "GET", f"/tasks/{task.id}/submissions?limit=1", token=phone.token)
    rest = await call(
        site, "GET", f"/tasks/{task.id}/submissions?limit=1&cursor={page.json['next']}", token=phone.token
    )
    assert (page.json["items"], rest.json["items"]) == ([again.json], [answer.json])


async def test_a_file_comes_back_as_a_sealed_download(site: str, phone: Phone, task: Task) -> None:
    made = await submit(site, phone, task, [("教案 1.pdf", PDF)])
    [file] = made.json["files"]
    answer = await call(site, "GET", f"/submissions/{made.json['id']}/files/{file['id']}", token=phone.token)
    assert (answer.status, answer.body) == (200, PDF)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(PDF))
    assert answer.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote('教案 1.pdf')}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_retry_with_the_same_nonce_answers_the_same(
    platform: Platform, site: str, phone: Phone, task: Task
) -> None:
    first = await submit(site, phone, task, [("成果.pdf", PDF)], nonce="abcdefgh-1")
    again = await submit(site, phone, task, [("成果.pdf", PDF)], nonce="abcdefgh-1")
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert await kept(platform) == (1, 1, 0)


async def test_a_file_larger_than_a_request_that_is_read_whole_streams_in(
    platform: Platform, site: str, phone: Phone, task: Task
) -> None:
    content = PDF + bytes(20 * 2**20)
    answer = await submit(site, phone, task, [("大文件.pdf", content)])
    assert answer.status == 201, answer.body
    assert answer.json["files"][0]["size"] == len(content)
    [file] = answer.json["files"]
    back = await call(site, "GET", f"/submissions/{answer.json['id']}/files/{file['id']}", token=phone.token)
    assert back.body == content


async def one_mebibyte_and_two_files(platform: Platform) -> None:
    today = beijing_date(platform.clock.now())
    for key, value in (("upload_mebibytes", 1), ("upload_files", 2)):
        change = PolicyChange(key=key, value=value, effective_from=today, reason="试验需要")
        await policies.change(platform, stage.actor(cast.CENTRE), change)


async def test_a_file_over_the_limit_is_refused_after_it_was_sent_and_before_it_is_sent(
    platform: Platform, site: str, phone: Phone, task: Task
) -> None:
    await one_mebibyte_and_two_files(platform)
    a_little = await submit(site, phone, task, [("大.pdf", PDF + bytes(2**20))])
    assert (a_little.status, a_little.problem) == (413, "file-too-large")
    assert "1 MiB" in a_little.json["detail"]
    by_far = await submit(site, phone, task, [("大.pdf", PDF + bytes(6 * 2**20))])
    assert (by_far.status, by_far.problem) == (413, "file-too-large")
    too_many = await submit(site, phone, task, [(f"{n}.pdf", PDF) for n in range(3)])
    assert (too_many.status, too_many.json["errors"][0]["place"]) == (422, "files")
    assert await kept(platform) == (0, 0, 0)


REFUSED_TYPES: dict[str, bytes] = {
    "作业.pdf": b"MZ\x90\0" + bytes(500),
    "照片.png": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "说明.txt": b"<!doctype html><script>alert(1)</script>",
    "数据.xlsx": b"PK\x03\x04 cut off",
    "空.pdf": b"",
}


@pytest.mark.parametrize("name", REFUSED_TYPES)
async def test_the_content_decides_not_the_name(
    platform: Platform, site: str, phone: Phone, task: Task, name: str
) -> None:
    answer = await submit(
        site, phone, task, [("好的.pdf", PDF), (name, REFUSED_TYPES[name]), ("也好.pdf", PDF)]
    )
    assert (answer.status, answer.problem) == (415, "file-type-refused")
    assert await kept(platform) == (0, 0, 0)


async def test_without_the_pledge_of_own_work_it_is_refused_in_chinese(
    platform: Platform, site: str, phone: Phone, task: Task
) -> None:
    for fields in ({}, {"own_work": "false"}):
        answer = await post(site, phone, task, form({"text": "我的", **fields}, [("成果.pdf", PDF)]))
        assert (answer.status, answer.problem) == (422, "own-work-not-declared")
        assert "本人独立完成" in answer.json["detail"]
    assert await kept(platform) == (0, 0, 0)


WRONG_FORMS: dict[str, tuple[bytes, str, int]] = {
    "no form": (b'{"text": "x"}', "text/plain", 415),
    "no boundary": (form(DECLARED), "multipart/form-data", 400),
    "another boundary": (form(DECLARED), "multipart/form-data; boundary=other", 400),
    "a boundary far too long": (form(DECLARED), f"multipart/form-data; boundary={'x' * 500}", 400),
    "nothing": (b"", FORM, 400),
    "cut off": (form(DECLARED | {"text": "x"})[:-10], FORM, 400),
    "nothing in it": (form(DECLARED), FORM, 422),
    "an unknown field": (form(DECLARED | {"text": "x", "grade": "100"}), FORM, 422),
    "a field twice": (form(DECLARED | {"text": "x"}).replace(b'"own_work"', b'"text"'), FORM, 422),
    "files that are no files": (form(DECLARED | {"files": "x"}), FORM, 422),
    "no text": (form(DECLARED | {"text": b"\xff\xfe"}), FORM, 422),
    "too long a text": (form(DECLARED | {"text": "长" * 20_001}), FORM, 422),
    "a text longer than is read": (form(DECLARED | {"text": "x" * 100_000}), FORM, 422),
    "no nonce": (form(DECLARED | {"text": "x", "nonce": "short"}), FORM, 422),
    "no answer to the pledge": (form({"own_work": "vielleicht", "text": "x"}), FORM, 422),
}


@pytest.mark.parametrize("name", WRONG_FORMS)
async def test_a_wrong_form_is_refused_and_leaves_nothing(
    platform: Platform, site: str, phone: Phone, task: Task, name: str
) -> None:
    body, kind, status = WRONG_FORMS[name]
    answer = await post(site, phone, task, body, kind)
    assert answer.status == status, answer.body
    assert answer.problem
    assert await platform["submissions"].count_documents({}) == 0
    assert await kept(platform) == (0, 0, 0)


async def test_a_file_field_left_empty_is_no_file(site: str, phone: Phone, task: Task) -> None:
    answer = await post(site, phone, task, form(DECLARED | {"text": "只有文字"}, [("", b"")]))
    assert (answer.status, answer.json["files"]) == (201, [])


async def test_an_upload_broken_off_in_the_middle_leaves_no_file(
    platform: Platform, site: str, phone: Phone, task: Task
) -> None:
    body = form(DECLARED, [("成果.pdf", PDF), ("大文件.pdf", PDF + bytes(3 * 2**20))])
    address = urlsplit(site)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST /api/v1/tasks/{task.id}/submissions HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {phone.token}\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body[: 2**20])
    await writer.drain()

    async def some_chunks_are_kept() -> bool:
        return (await kept(platform))[1] >= 3

    async def nothing_is_kept() -> bool:
        return await kept(platform) == (0, 0, 0)

    await until(some_chunks_are_kept)
    writer.close()
    await until(nothing_is_kept)
    assert await platform["submissions"].count_documents({}) == 0
    assert (await submit(site, phone, task, [("成果.pdf", PDF)])).json["version"] == 1


async def test_a_phone_that_falls_silent_is_given_up_and_nothing_of_it_stays(
    platform: Platform, phone: Phone, task: Task
) -> None:
    whole = form(DECLARED, [("视频.pdf", PDF + bytes(600_000))])
    headers = {"content_type": FORM, "content_length": str(len(whole)), **phone.headers}
    limits = Limits(silence_seconds=0.2)
    async with (
        opening.application_served(make_application(platform), limits) as site,
        raw.line_to(site) as line,
    ):
        await line.send(raw.head("POST", f"/api/v1/tasks/{task.id}/submissions", **headers) + whole[:400_000])
        assert await line.is_closed()

        async def nothing_is_kept() -> bool:
            return await kept(platform) == (0, 0, 0)

        await until(nothing_is_kept)


async def test_a_chunked_body_streams_in_too(site: str, phone: Phone, task: Task) -> None:
    body = form(DECLARED, [("成果.pdf", PDF + bytes(300_000))])
    address = urlsplit(site)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST /api/v1/tasks/{task.id}/submissions HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer {phone.token}\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    for begin in range(0, len(body), 50_000):
        piece = body[begin : begin + 50_000]
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    writer.write(b"0\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 201 ")
    writer.close()


async def test_strangers_are_refused_before_their_files(
    platform: Platform, wechat: Simulator, site: str, opened: ClassInSession, task: Task
) -> None:
    stranger = await stage.phone(platform, wechat, "openid-stranger")
    body = form(DECLARED, [("成果.pdf", PDF)])
    assert (await post(site, stranger, task, body)).status == 403
    assert (await post(site, opened.teacher, task, body)).status in (403, 404)
    nobody = Phone("", "wrong-token", stranger.actor)
    assert (await post(site, nobody, task, body)).status == 401


async def test_after_the_release_nothing_is_handed_in(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone
) -> None:
    formative, _ = await assess_everybody(platform, opened)
    await release(platform, opened)
    answer = await submit(site, phone, formative, [("成果.pdf", PDF)])
    assert (answer.status, answer.problem) == (409, "results-released")
    assert await kept(platform) == (0, 0, 0)


# ---- grading


async def put_grade(site: str, teacher: Phone, path: str, **body: Any) -> Answer:
    return await call(site, "PUT", f"/teaching/{path}/grade", token=teacher.token, body=body)


async def test_a_teacher_sees_who_handed_in_and_who_did_not_and_grades(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone, task: Task
) -> None:
    teacher = opened.teacher
    made = await submit(site, phone, task, [("成果.pdf", PDF)], text="我的")
    listed = await call(site, "GET", f"/teaching/classes/{opened.id}/tasks", token=teacher.token)
    assert [(one["id"], one["maximum"]) for one in listed.json["items"]] == [(task.id, 100)]
    work = await call(site, "GET", f"/teaching/tasks/{task.id}/submissions", token=teacher.token)
    assert (work.json["submitted"], work.json["graded"]) == (1, 0)
    first, second = work.json["items"]
    assert first["submission"] == made.json and second["submission"] is None
    file_path = f"/submissions/{made.json['id']}/files/{made.json['files'][0]['id']}"
    assert (await call(site, "GET", f"/teaching{file_path}", token=teacher.token)).body == PDF

    path = f"submissions/{made.json['id']}"
    given = await put_grade(site, teacher, path, scores={"c1": 50, "c2": 30}, comment="条理清楚")
    assert given.status == 200 and given.json["points"] == 80 and given.json["version"] == 1
    again = await put_grade(site, teacher, path, scores={"c1": 50, "c2": 30}, comment="条理清楚")
    assert again.json == given.json
    in_silence = await put_grade(site, teacher, path, scores={"c1": 60, "c2": 30})
    assert (in_silence.status, in_silence.json["errors"][0]["place"]) == (422, "reason")
    changed = await put_grade(site, teacher, path, scores={"c1": 60, "c2": 30}, reason="漏看附件")
    assert changed.json["points"] == 90
    work = await call(site, "GET", f"/teaching/tasks/{task.id}/submissions", token=teacher.token)
    assert work.json["graded"] == 1
    history = work.json["items"][0]["history"]
    assert [(one["points"], one["reason"]) for one in history] == [(90, "漏看附件"), (80, "")]


WRONG_GRADES: dict[str, tuple[dict[str, Any], str]] = {
    "too much": ({"scores": {"c1": 61, "c2": 0}}, "scores.c1"),
    "less than nothing": ({"scores": {"c1": -1, "c2": 0}}, "scores.c1"),
    "a criterion left out": ({"scores": {"c1": 1}}, "scores.c2"),
    "an unknown criterion": ({"scores": {"c1": 1, "c2": 1, "c9": 1}}, "scores.c9"),
    "half a point": ({"scores": {"c1": 1.5, "c2": 1}}, "scores.c1"),
    "no number": ({"scores": {"c1": True, "c2": 1}}, "scores.c1"),
    "far too much": ({"scores": {"c1": 10**18, "c2": 1}}, "scores.c1"),
    "too long a comment": ({"scores": {"c1": 1, "c2": 1}, "comment": "长" * 2001}, "comment"),
    "nothing": ({}, "scores"),
    "more than asked": ({"scores": {"c1": 1, "c2": 1}, "total": 100}, "total"),
}


@pytest.mark.parametrize("name", WRONG_GRADES)
async def test_a_wrong_grade_names_its_place(
    platform: Platform, site: str, opened: ClassInSession, task: Task, name: str
) -> None:
    submission = await hand_in(platform, opened.trainees[0], task)
    body, place = WRONG_GRADES[name]
    answer = await put_grade(site, opened.teacher, f"submissions/{submission.id}", **body)
    assert answer.status == 422, answer.body
    assert [error["place"] for error in answer.json["errors"]] == [place]


async def test_an_older_version_is_not_graded(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone, task: Task
) -> None:
    old = await hand_in(platform, phone, task)
    new = await hand_in(platform, phone, task, text="第二版")
    answer = await put_grade(site, opened.teacher, f"submissions/{old.id}", scores={"c1": 1, "c2": 1})
    assert (answer.status, answer.problem) == (409, "newer-version")
    assert answer.json["submission_id"] == new.id


async def test_a_practical_test_is_graded_without_a_submission(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone, task: Task
) -> None:
    practical = await set_task(platform, opened, TaskKind.SUMMATIVE)
    trainee = f"trainees/{phone.actor.person_id}"
    scores = {"c1": 55, "c2": 35}
    given = await put_grade(site, opened.teacher, f"tasks/{practical.id}/{trainee}", scores=scores)
    assert (given.status, given.json["points"], given.json["version"]) == (200, 90, None)
    refused = await put_grade(site, opened.teacher, f"tasks/{task.id}/{trainee}", scores=scores)
    assert (refused.status, refused.problem) == (409, "nothing-submitted")


async def test_a_trainee_grades_nobody(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone, task: Task
) -> None:
    submission = await hand_in(platform, phone, task)
    for one in opened.trainees:
        answer = await put_grade(site, one, f"submissions/{submission.id}", scores={"c1": 60, "c2": 40})
        assert answer.status == 403


# ---- the result


async def test_a_trainee_learns_grade_and_result_after_the_release(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone
) -> None:
    await assess_everybody(platform, opened, [85, 40])
    path = f"/classes/{opened.id}/tasks"
    early = await call(site, "GET", path, token=phone.token)
    assert [(one["grade"], one["submission"]["version"]) for one in early.json["items"]] == [(None, 1)] * 2
    assert [one["kind_title"] for one in early.json["items"]] == ["过程性考核", "终结性考核"]
    waiting = await call(site, "GET", f"/classes/{opened.id}/result", token=phone.token)
    assert (waiting.status, waiting.problem) == (409, "results-not-released")

    await release(platform, opened)
    shown = await call(site, "GET", path, token=phone.token)
    assert [one["grade"]["points"] for one in shown.json["items"]] == [85, 85]
    result = await call(site, "GET", f"/classes/{opened.id}/result", token=phone.token)
    assert result.status == 200
    assert (result.json["total"], result.json["passed"], result.json["reason"]) == (85.0, True, "")
    assert result.json["policy"]["pass_mark"] == 60
    other = await call(site, "GET", f"/classes/{opened.id}/result", token=opened.trainees[1].token)
    assert (other.json["total"], other.json["reason"]) == (40.0, "总评未达合格线")


async def test_the_tasks_come_in_pages(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone
) -> None:
    made = [await set_task(platform, opened, title=f"任务 {n}") for n in range(3)]
    path = f"/classes/{opened.id}/tasks?limit=2"
    first = await call(site, "GET", path, token=phone.token)
    rest = await call(site, "GET", f"{path}&cursor={first.json['next']}", token=phone.token)
    seen = [one["id"] for one in first.json["items"] + rest.json["items"]]
    assert seen == [task.id for task in made] and rest.json["next"] is None


async def test_grading_after_the_release_is_refused(
    platform: Platform, site: str, opened: ClassInSession, phone: Phone
) -> None:
    formative, _ = await assess_everybody(platform, opened)
    [kept_work] = (await call(site, "GET", f"/tasks/{formative.id}/submissions", token=phone.token)).json[
        "items"
    ]
    await release(platform, opened)
    answer = await put_grade(
        site, opened.teacher, f"submissions/{kept_work['id']}", scores={"c1": 60, "c2": 40}, reason="学员求情"
    )
    assert (answer.status, answer.problem) == (409, "results-released")


async def test_the_description_names_the_form_of_a_submission(site: str) -> None:
    described = (await call(site, "GET", "/openapi.json")).json
    body = described["paths"]["/api/v1/tasks/{task_id}/submissions"]["post"]["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["own_work"] and set(schema["properties"]) == {
        "own_work",
        "text",
        "nonce",
        "files",
    }
