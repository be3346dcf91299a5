"""Files go one by one before the form that names them: over a cut line, twice, by two at once, and nobody else's."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tornado.httpclient import AsyncHTTPClient

from server.assessment import shown
from server.assessment.documents import Task
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.uploads import rules, service
from server.uploads.rules import PART_BYTES
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import Answer, call
from tests.assessing import PDF, PNG, hand_in, set_task
from tests.stage import ClassInSession, Phone

EDGE = "edge-of-a-part"
LARGE = PDF + bytes(PART_BYTES)
"""Of two parts."""


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=2)


@pytest.fixture
async def task(platform: Platform, opened: ClassInSession) -> Task:
    return await set_task(platform, opened)


async def send(
    site: str, phone: Phone, content: bytes, name: str = "照片.png", nonce: str = "nonce-one"
) -> Answer:
    fields = "".join(
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in (("name", name), ("nonce", nonce))
    )
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="tmp"\r\n\r\n'
    body = fields.encode() + head.encode() + content + f"\r\n--{EDGE}--\r\n".encode()
    return await _fetch(site, phone, "POST", "/uploads", body, f"multipart/form-data; boundary={EDGE}")


async def put(site: str, phone: Phone, upload_id: str, number: int, content: bytes) -> Answer:
    path = f"/uploads/{upload_id}/parts/{number}"
    return await _fetch(site, phone, "PUT", path, content, "application/octet-stream")


async def _fetch(site: str, phone: Phone, method: str, path: str, body: bytes, kind: str) -> Answer:
    headers = {**phone.headers, "Content-Type": kind}
    response = await AsyncHTTPClient().fetch(
        f"{site}/api/v1{path}", method=method, headers=headers, body=body, raise_error=False
    )
    return Answer(response.code, response.headers, response.body)


async def begin(
    site: str, phone: Phone, size: int, nonce: str = "nonce-two", name: str = "教案.pdf"
) -> Answer:
    body = {"name": name, "size": size, "nonce": nonce}
    return await call(site, "POST", "/uploads/begin", token=phone.token, body=body)


async def submit(
    site: str, phone: Phone, task: Task, uploads: Sequence[str], nonce: str = "submission-1", text: str = ""
) -> Answer:
    body: dict[str, Any] = {"text": text, "own_work": True, "nonce": nonce, "uploads": list(uploads)}
    return await call(site, "POST", f"/tasks/{task.id}/submissions", token=phone.token, body=body)


async def test_pictures_go_one_by_one_and_a_form_names_them(
    platform: Platform, site: str, opened: ClassInSession, task: Task
) -> None:
    me, neighbour = opened.trainees
    first = await send(site, me, PNG)
    assert (first.status, first.json["name"], first.json["kind"]) == (201, "照片.png", "图片")
    again = await send(site, me, PNG)
    assert (again.status, again.json) == (200, first.json)
    other = await send(site, me, PNG, name="另一张.png")
    assert (other.status, other.problem) == (409, "nonce-reused")
    second = (await send(site, me, PDF, name="教案.docx", nonce="nonce-three")).json
    assert second["name"] == "教案.docx.pdf", "it ends as what it is"
    ids = [first.json["upload_id"], second["upload_id"]]
    assert (await submit(site, neighbour, task, ids[:1])).status == 422, "nobody hands in another's"
    kept = await submit(site, me, task, ids)
    assert (kept.status, [one["id"] for one in kept.json["files"]]) == (201, ids)
    twice = await submit(site, me, task, ids)
    assert (twice.status, twice.json) == (200, kept.json)
    assert (await submit(site, me, task, [], text="别的")).problem == "nonce-reused"
    assert (await submit(site, me, task, ids[:1], nonce="submission-2")).status == 422, "each is named once"
    path = f"/submissions/{kept.json['id']}/files/{ids[0]}"
    fetched = await call(site, "GET", path, token=me.token)
    assert (fetched.status, fetched.body) == (200, PNG)
    [shown] = (await call(site, "GET", f"/classes/{opened.id}/tasks", token=me.token)).json["items"]
    assert shown["limits"]["files"] == 10 and {"pdf", "jpg", "docx"} <= set(shown["limits"]["types"])


async def test_a_large_file_comes_in_parts_in_any_order_over_a_cut_line(
    platform: Platform, site: str, opened: ClassInSession, task: Task
) -> None:
    me, neighbour = opened.trainees
    begun = (await begin(site, me, len(LARGE))).json
    assert (begun["missing"], begun["part_bytes"]) == ([0, 1], PART_BYTES)
    one = begun["upload_id"]
    assert (await put(site, neighbour, one, 1, LARGE[PART_BYTES:])).status == 404
    cut = await put(site, me, one, 0, LARGE[: PART_BYTES // 2])
    assert (cut.status, "请重新上传这一段" in str(cut.json)) == (422, True)
    assert (await put(site, me, one, 1, LARGE[PART_BYTES:])).json["missing"] == [0]
    assert (await submit(site, me, task, [one])).problem == "upload-not-whole"
    resumed = await begin(site, me, len(LARGE))
    assert (resumed.status, resumed.json["missing"]) == (200, [0])
    both = await asyncio.gather(*(put(site, me, one, 0, LARGE[:PART_BYTES]) for _ in range(2)))
    assert [answer.status for answer in both] == [200, 200]
    assert (await put(site, me, one, 0, bytes(PART_BYTES))).status == 200, "what is there stays"
    kept = await submit(site, me, task, [one])
    assert kept.status == 201 and kept.json["files"][0]["size"] == len(LARGE)
    fetched = await call(site, "GET", f"/submissions/{kept.json['id']}/files/{one}", token=me.token)
    assert fetched.body == LARGE


async def test_the_same_content_is_kept_once_and_nobody_is_told(
    platform: Platform, site: str, opened: ClassInSession, task: Task
) -> None:
    answers = []
    for phone in opened.trainees:
        sent = (await send(site, phone, PDF)).json
        kept = (await submit(site, phone, task, [sent["upload_id"]])).json
        fetched = await call(
            site, "GET", f"/submissions/{kept['id']}/files/{sent['upload_id']}", token=phone.token
        )
        assert fetched.body == PDF
        answers.append({name: kept["files"][0][name] for name in ("name", "size", "media_type")})
    assert answers[0] == answers[1]
    [content] = await platform["kept_contents"].find({}).to_list(None)
    assert content["references"] == 2
    long_ago = {"$set": {"begun_at": platform.machine.now() - timedelta(days=2)}}
    await platform["waiting_uploads"].update_many({}, long_ago)
    assert await service.remove_abandoned(platform) == 1, "the second copy goes"
    assert [one["_id"] async for one in platform["files.files"].find({})] == [content["file_id"]]
    assert await platform["files.chunks"].count_documents({}) == 1


async def test_what_is_not_accepted_is_said_and_goes_and_what_nobody_names_goes_after_a_day(
    platform: Platform, site: str, opened: ClassInSession, task: Task
) -> None:
    me = opened.trainees[0]
    refused = await send(site, me, b"MZ\x00\x01" + bytes(99), name="程序.exe")
    assert (refused.status, refused.problem) == (415, "file-type-refused")
    program = (await begin(site, me, 104)).json["upload_id"]
    assert (await put(site, me, program, 0, b"MZ\x00\x01" + bytes(100))).json["state"] == "ARRIVED"
    assert await service.finish_waiting(platform) == {"检查": 1}
    told = (await call(site, "GET", f"/uploads/{program}", token=me.token)).json
    assert (told["state"], bool(told["refusal"])) == ("REFUSED", True)
    assert (await submit(site, me, task, [program])).problem == "file-type-refused"
    assert await platform["files.chunks"].count_documents({}) == 0
    half = (await begin(site, me, len(LARGE), nonce="nonce-half")).json["upload_id"]
    await put(site, me, half, 1, LARGE[PART_BYTES:])
    assert await service.remove_abandoned(platform) == 0
    long_ago = {"$set": {"begun_at": platform.machine.now() - timedelta(days=2)}}
    await platform["waiting_uploads"].update_many({}, long_ago)
    assert await service.remove_abandoned(platform) == 3
    assert await platform["files.chunks"].count_documents({}) == 0
    assert (await begin(site, me, 2**31, nonce="nonce-huge")).problem == "file-too-large"


async def test_an_account_has_two_submissions_worth_waiting_also_when_all_come_at_once(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    each = 50 * 2**20
    sent = [begin(site, opened.trainees[0], each, nonce=f"nonce-many-{n}") for n in range(25)]
    kept = [one for one in await asyncio.gather(*sent) if one.status == 201]
    assert 1 <= len(kept) <= 20


async def test_the_form_of_today_stays(platform: Platform, opened: ClassInSession, task: Task) -> None:
    kept = await hand_in(platform, opened.trainees[0], task, files=[("成果.pdf", PDF)])
    assert kept.files[0].content_id == kept.files[0].id


@given(st.integers(1, 60 * 2**20), st.sets(st.integers(0, 14)))
def test_the_parts_of_a_file_are_its_bytes_and_what_is_missing_is_what_has_not_come(
    size: int, got: set[int]
) -> None:
    count = rules.parts_of(size)
    assert sum(rules.bytes_of(size, number) for number in range(count)) == size
    assert set(rules.missing(size, got)) == set(range(count)) - got
    with pytest.raises(NotFound):
        rules.bytes_of(size, count)
    with pytest.raises(Invalid, match="invalid"):
        rules.require_whole(size, 0, rules.bytes_of(size, 0) - 1)


async def test_a_picture_is_shown_by_a_link_without_a_token_until_the_link_ends(
    platform: Platform, site: str, opened: ClassInSession, task: Task
) -> None:
    [mine, other] = opened.trainees
    await hand_in(platform, mine, task, files=[("现场.png", drawn_picture(800)), ("教案.pdf", PDF)])
    theirs = await hand_in(platform, other, task, files=[("现场.png", drawn_picture(10))])
    read = await call(site, "GET", f"/tasks/{task.id}", token=mine.token)
    picture, paper = [one["picture"] for one in read.json["submission"]["files"]]
    assert paper is None, "a link is for pictures"
    address = site.removesuffix("/api/v1") + picture

    async def fetch(url: str) -> tuple[int, bytes]:
        answer = await AsyncHTTPClient().fetch(url, raise_error=False)
        return answer.code, answer.body

    assert await fetch(address) == (200, drawn_picture(800))
    for _ in range(2):  # drawn, and remembered
        status, small = await fetch(f"{address}&width=320")
        assert status == 200 and Image.open(io.BytesIO(small)).size == (320, 320)
    assert (await fetch(f"{address}&width=321"))[0] == 422, "a few widths, that what is drawn can be kept"
    end = int(address.partition("until=")[2].partition("&")[0])
    for forged in (
        address.replace(f"until={end}", f"until={end + 600}"),
        address.replace(read.json["submission"]["id"], theirs.id),
    ):
        status, said = await fetch(forged)
        assert status == 403 and b"link-expired" in said
    assert isinstance(platform.clock, FixedClock)
    platform.clock.advance(timedelta(minutes=2 * shown.LIVES))
    assert (await fetch(address))[0] == 403


def drawn_picture(side: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (side, side), "navy").save(written, "PNG")
    return written.getvalue()
