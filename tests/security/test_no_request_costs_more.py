"""No request costs more than it may, and whoever is refused reads why."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, ValidationError
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler, stream_request_body

from server.__main__ import make_application
from server.kernel import addresses, errors, web
from server.kernel.front_door import BoundedApplication, Exchange, Limits
from server.kernel.platform import Platform
from server.kernel.web import USUAL_BODY
from tests import cast, opening
from tests.admin.browserless import sign_in
from tests.security import raw

JSON = {"content_type": "application/json"}
NAMED = "/api/v1/login"


class Waits(RequestHandler):
    """Answers when it is let."""

    usual_body = 2**20

    async def get(self) -> None:
        self.settings["came"].set()
        await self.settings["let"].wait()
        self.finish("done")

    post = get


class NeverEnds(RequestHandler):
    """Has more to say for as long as anybody is there."""

    async def get(self) -> None:
        try:
            while True:
                self.write(b"x" * 2**16)
                await self.flush()
        except StreamClosedError:
            self.settings["gone"].set()


@stream_request_body
class Uploads(RequestHandler):
    def prepare(self) -> None:
        assert isinstance(self.request.connection, Exchange)
        try:
            self.request.connection.stream_body(self.request.headers["X-Person"], 3600)
        except errors.Problem as problem:
            self.set_status(problem.status)
            self.finish(problem.detail)

    def data_received(self, chunk: bytes) -> None:
        pass

    def post(self) -> None:
        self.finish("done")


async def test_a_body_that_is_too_large_is_refused_before_it_is_sent(site: str) -> None:
    async with raw.line_to(site) as line:
        await line.send(raw.head("POST", NAMED, content_length=str(USUAL_BODY + 1), **JSON))
        answer = await line.answer()
    assert (answer.status, answer.problem) == (413, "too-large")
    assert "64 KiB" in answer.detail


async def test_whoever_waits_for_leave_to_send_is_refused_and_hears_nothing_else(site: str) -> None:
    async with raw.line_to(site) as line:
        await line.send(raw.head("POST", NAMED, content_length="100000", expect="100-continue", **JSON))
        assert (await line.answer()).status == 413
        assert await line.is_closed()


async def test_whoever_sends_everything_first_reads_why_and_may_go_on(site: str) -> None:
    """8 MB lie in the line when the answer is written: to close it now would be a reset."""
    body = b'{"code": "' + b"x" * 8_000_000 + b'"}'
    async with raw.line_to(site) as line:
        await line.send(raw.head("POST", NAMED, content_length=str(len(body)), **JSON) + body)
        assert (await line.answer()).problem == "too-large"
        await line.send(raw.head("GET", "/healthz"))
        assert (await line.answer()).status == 200


async def test_a_body_of_unknown_length_ends_where_any_other_does(site: str) -> None:
    async with raw.line_to(site) as line:
        await line.send(raw.head("POST", NAMED, transfer_encoding="chunked", **JSON))
        for _ in range(3):
            await line.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        assert (await line.answer()).problem == "too-large"


async def test_a_browser_reads_it_on_a_page(site: str) -> None:
    async with raw.line_to(site) as line:
        head = raw.head("POST", "/admin/login", content_length=str(2**21), accept="text/html,*/*;q=0.8")
        await line.send(head)
        answer = await line.answer()
    assert answer.status == 413 and "64 KiB" in answer.body.decode()
    assert answer.headers["Content-Security-Policy"] == web.SECURITY_HEADERS["Content-Security-Policy"]


async def test_large_forms_and_sheets_are_taken_from_who_is_signed_in_only(
    platform: Platform, site: str
) -> None:
    """They are taken apart before a handler asks who it is; a cookie that we did not sign opens no door here either."""
    browser = await sign_in(platform, site, cast.CENTRE)
    cookies = {"": 413, "session=made-up": 413, f"session={browser.cookies['session']}": 403}
    for cookie, status in cookies.items():
        body = b"a=" + b"x" * USUAL_BODY
        kind = "application/x-www-form-urlencoded"
        answer = await raw.ask(site, "POST", "/admin/accounts/new", body, content_type=kind, cookie=cookie)
        assert answer.status == status, cookie


async def test_an_upload_that_is_refused_early_reads_why(site: str) -> None:
    """Nobody is signed in; the phone sends its ten megabytes before it looks."""
    path = f"/api/v1/tasks/{'0' * 24}/submissions"
    kind = "multipart/form-data; boundary=x"
    answer = await raw.ask(site, "POST", path, b"x" * 10_000_000, content_type=kind)
    assert (answer.status, answer.problem) == (401, "not-signed-in")


def test_of_a_body_of_nothing_but_mistakes_few_are_told() -> None:
    class Asked(BaseModel, extra="forbid"):
        name: str

    for count, told in ((5, 5), (500, web.ERRORS_SHOWN), (100_000, 0)):
        body = orjson.dumps({"name": "x"} | {f"k{number}": 0 for number in range(count)})
        with pytest.raises(errors.Invalid) as refused:
            web.parse_json(Asked, body)
        assert len(refused.value.fields) == told


def test_what_is_wrong_with_a_body_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(BaseModel, extra="forbid"):
        name: str

    made = []
    listed = web._listed

    def counted(error: ValidationError) -> Sequence[Any]:
        made.append(error)
        return listed(error)

    monkeypatch.setattr(web, "_listed", counted)
    with pytest.raises(errors.BadRequest):
        web.parse_json(Asked, b"{")
    with pytest.raises(errors.Invalid):
        web.parse_json(Asked, b"{}")
    assert len(made) == 2


# ---- time


async def closes_in_time(platform: Platform, limits: Limits, *sent: bytes) -> bool:
    async with (
        opening.application_served(make_application(platform), limits) as site,
        raw.line_to(site) as line,
    ):
        for data in sent:
            await line.send(data)
        return await line.is_closed()


async def test_a_silent_connection_ends(platform: Platform) -> None:
    assert await closes_in_time(platform, Limits(idle_seconds=0.2))


async def test_headers_that_never_end_end(platform: Platform) -> None:
    assert await closes_in_time(platform, Limits(idle_seconds=0.2), b"GET / HTTP/1.1\r\n", b"A: b\r\n")


async def test_a_body_that_never_comes_ends(platform: Platform) -> None:
    head = raw.head("POST", NAMED, content_length="100", **JSON)
    assert await closes_in_time(platform, Limits(body_seconds=0.2), head, b"{")


async def test_the_rest_of_a_refused_body_is_not_waited_for_for_ever(platform: Platform) -> None:
    head = raw.head("POST", NAMED, content_length="100000", **JSON)
    assert await closes_in_time(platform, Limits(linger_seconds=0.2), head, b"{")


async def test_nor_is_an_endless_one_read_to_its_end(platform: Platform) -> None:
    head = raw.head("POST", NAMED, content_length=str(10**12), **JSON)
    assert await closes_in_time(platform, Limits(linger_most=100_000), head, b"x" * 200_000)


# ---- how many


@pytest.fixture
async def waiting() -> AsyncIterator[BoundedApplication]:
    """An application whose one page waits until it is let."""
    application = BoundedApplication(
        [("/waits", Waits), ("/healthz", Waits), ("/never-ends", NeverEnds), ("/uploads", Uploads)],
        let=asyncio.Event(),
        came=asyncio.Event(),
        gone=asyncio.Event(),
        live_rolls=Nothing(),
    )
    yield application
    application.settings["let"].set()


class Nothing:
    async def close(self) -> None:
        pass


async def test_an_address_has_so_many_connections_and_reads_why_it_has_no_more(
    waiting: BoundedApplication,
) -> None:
    async with opening.application_served(waiting, Limits(connections_each=2)) as site:
        async with raw.line_to(site) as one, raw.line_to(site) as other:
            await one.send(raw.head("GET", "/waits"))
            await other.send(raw.head("GET", "/waits"))
            await waiting.settings["came"].wait()
            async with raw.line_to(site) as third:
                refused = await third.answer()
                assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
                assert "连接太多" in refused.detail
            waiting.settings["let"].set()
            assert (await one.answer()).status == (await other.answer()).status == 200
        while (late := await raw.ask(site, "GET", "/waits")).status == 503:
            pass  # until the server has seen the others go
        assert late.status == 200


async def test_an_overload_is_refused_in_words_and_passes(waiting: BoundedApplication) -> None:
    async with (
        opening.application_served(waiting, Limits(requests_at_once=2)) as site,
        raw.line_to(site) as one,
        raw.line_to(site) as other,
    ):
        for line in (one, other):
            await line.send(raw.head("GET", "/waits"))
            await waiting.settings["came"].wait()
            waiting.settings["came"].clear()
        refused = await raw.ask(site, "GET", "/waits")
        assert (refused.status, refused.headers["Retry-After"], refused.problem) == (503, "5", "unavailable")
        async with raw.line_to(site) as watcher:  # whoever watches the health is let in
            await watcher.send(raw.head("GET", "/healthz"))
            await waiting.settings["came"].wait()
            waiting.settings["let"].set()
            assert (await watcher.answer()).status == 200
        assert (await one.answer()).status == (await other.answer()).status == 200
        assert (await raw.ask(site, "GET", "/waits")).status == 200


async def test_large_bodies_fill_the_memory_only_so_far(waiting: BoundedApplication) -> None:
    large = b"x" * 300_000
    async with (
        opening.application_served(waiting, Limits(bodies_held=400_000)) as site,
        raw.line_to(site) as one,
    ):
        await one.send(raw.head("POST", "/waits", content_length=str(len(large))) + large)
        await waiting.settings["came"].wait()
        assert (await raw.ask(site, "POST", "/waits", large)).status == 503
        waiting.settings["let"].set()
        assert (await one.answer()).status == 200
        assert (await raw.ask(site, "POST", "/waits", large)).status == 200


# ---- and nobody takes all there is


async def begun(line: raw.Line, path: str, **headers: str) -> bool:
    """A body is announced, and the server has said that it may come; False where it answered at once."""
    await line.send(raw.head("POST", path, content_length="10", expect="100-continue", **headers))
    async with asyncio.timeout(raw.PATIENCE):
        return (await line.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")


async def test_who_announces_a_body_and_sends_none_keeps_nobody_out(waiting: BoundedApplication) -> None:
    waiting.settings["let"].set()
    async with (
        opening.application_served(waiting, Limits(requests_at_once=2)) as site,
        raw.line_to(site) as one,
        raw.line_to(site) as other,
    ):
        assert await begun(one, "/waits") and await begun(other, "/waits")
        assert (await raw.ask(site, "GET", "/waits")).status == 200
        await one.send(b"x" * 10)
        assert (await one.answer()).status == 200


async def test_a_body_that_comes_into_an_overload_is_refused_in_words(waiting: BoundedApplication) -> None:
    async with (
        opening.application_served(waiting, Limits(requests_at_once=1)) as site,
        raw.line_to(site) as one,
        raw.line_to(site) as other,
    ):
        assert await begun(one, "/waits")
        await other.send(raw.head("GET", "/waits"))
        await waiting.settings["came"].wait()
        await one.send(b"x" * 10)
        assert (await one.answer()).problem == "unavailable"
        waiting.settings["let"].set()
        assert (await other.answer()).status == 200
        await one.send(raw.head("GET", "/waits"))  # the same line goes on
        assert (await one.answer()).status == 200


async def test_an_address_fills_its_own_share_only(waiting: BoundedApplication) -> None:
    limits = Limits(requests_at_once=10, requests_each=1, proxies=addresses.networks("127.0.0.1"))
    async with opening.application_served(waiting, limits) as site, raw.line_to(site) as line:
        await line.send(raw.head("GET", "/waits", x_forwarded_for="203.0.113.1"))
        await waiting.settings["came"].wait()
        assert (await raw.ask(site, "GET", "/waits", x_forwarded_for="203.0.113.1")).status == 503
        waiting.settings["let"].set()
        assert (await line.answer()).status == 200
    waiting.settings["let"].clear()
    waiting.settings["came"].clear()
    async with (
        opening.application_served(waiting, limits) as site,
        raw.line_to(site) as one,
        raw.line_to(site) as other,
    ):
        await one.send(raw.head("GET", "/waits", x_forwarded_for="203.0.113.1"))
        await waiting.settings["came"].wait()
        await other.send(raw.head("GET", "/waits", x_forwarded_for="203.0.113.2"))
        waiting.settings["let"].set()
        assert (await one.answer()).status == (await other.answer()).status == 200


async def test_the_memory_for_large_bodies_is_not_all_of_one_address(waiting: BoundedApplication) -> None:
    waiting.settings["let"].set()
    async with opening.application_served(waiting, Limits(bodies_each=100_000)) as site:
        assert (await raw.ask(site, "POST", "/waits", b"x" * 300_000)).status == 503
        assert (await raw.ask(site, "POST", "/waits", b"x" * 90_000)).status == 200


async def test_an_answer_that_nobody_reads_keeps_nobody_waiting(waiting: BoundedApplication) -> None:
    waiting.settings["let"].set()
    async with (
        opening.application_served(waiting, Limits(requests_at_once=1)) as site,
        raw.line_to(site) as line,
    ):
        await line.send(raw.head("GET", "/never-ends"))
        await line.reader.readuntil(b"\r\n\r\n")
        assert (await raw.ask(site, "GET", "/waits")).status == 200


async def test_an_answer_that_nobody_reads_ends(waiting: BoundedApplication) -> None:
    async with (
        opening.application_served(waiting, Limits(unread_seconds=0.2)) as site,
        raw.line_to(site) as line,
    ):
        await line.send(raw.head("GET", "/never-ends"))
        async with asyncio.timeout(raw.PATIENCE):
            await waiting.settings["gone"].wait()


async def test_an_upload_that_falls_silent_ends(waiting: BoundedApplication) -> None:
    async with opening.application_served(waiting, Limits(silence_seconds=0.2)) as site:
        for brought in (b"", b"x"):
            async with raw.line_to(site) as line:
                await line.send(raw.head("POST", "/uploads", content_length="10", x_person="one") + brought)
                assert await line.is_closed()
        whole = await raw.ask(site, "POST", "/uploads", b"x" * 10, x_person="one")
        assert whole.body == b"done"


@pytest.mark.parametrize(
    ("limits", "refused", "status"),
    [
        (Limits(uploads_of_a_person=1), "one", 429),
        (Limits(uploads_each=1), "two", 503),
        (Limits(uploads_at_once=1), "two", 503),
    ],
    ids=["person", "address", "process"],
)
async def test_uploads_have_a_share_of_their_own_each_person_and_each_address(
    waiting: BoundedApplication, limits: Limits, refused: str, status: int
) -> None:
    """And while they last everything else goes on."""
    waiting.settings["let"].set()
    async with opening.application_served(waiting, limits) as site:
        async with raw.line_to(site) as line:
            assert await begun(line, "/uploads", x_person="one")
            answer = await raw.ask(site, "POST", "/uploads", b"x", x_person=refused)
            assert answer.status == status and "上传" in answer.body.decode()
            assert (await raw.ask(site, "GET", "/waits")).status == 200
            await line.send(b"x" * 10)
            assert (await line.answer()).body == b"done"
        assert (await raw.ask(site, "POST", "/uploads", b"x", x_person=refused)).status == 200


async def test_one_person_at_the_limit_stops_nobody_else(waiting: BoundedApplication) -> None:
    async with (
        opening.application_served(waiting, Limits(uploads_of_a_person=1)) as site,
        raw.line_to(site) as line,
    ):
        assert await begun(line, "/uploads", x_person="one")
        assert (await raw.ask(site, "POST", "/uploads", b"x", x_person="two")).status == 200
