"""The attack: from a public page (a name, `139***********7597`) and the query, the whole number was found with 327 questions.

Whoever knows where somebody was registered, and about when they were born, has so many numbers left that fit the last digits and the check
character. The page gives less away now, and each question that finds nothing makes the next one dearer, whoever asks it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import date, timedelta

import orjson
import pytest

from server.accounts.rules import with_check_character
from server.certificates import verify
from server.certificates.documents import Certificate
from server.certificates.verify import CertificateMissing, CertificateQueryRequest
from server.kernel import public_questions, puzzles
from server.kernel.clock import FixedClock
from server.kernel.errors import TooManyRequests
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.public_questions import Asker
from server.kernel.puzzles import PuzzleNeeded
from server.wechat.simulator import Simulator
from tests import cast
from tests.admin.browserless import Browser
from tests.api.client import call
from tests.asking import ANYWHERE, ask, ask_on_page, solution, solved
from tests.certifying import issued, passed_class
from tests.security.test_every_route_and_role import openings
from tests.security.visiting import Visitors

TERMS = Policies()
THREE_AND_FOUR = re.compile(r"[0-9]{3}\*{11}[0-9X]{4}")
YEARS = 10
PERSON = cast.people(1)[0]


@pytest.fixture
async def certificate(platform: Platform, wechat: Simulator) -> Certificate:
    [found] = await issued(platform, await passed_class(platform, wechat, 1))
    return found


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is counted here, not done."""
    monkeypatch.setattr(puzzles, "TRIES", 1)


def numbers_that_fit(last_four: str, area: str) -> Iterator[str]:
    """Of everybody who was registered there and born in these years, the right one last."""
    born = date(int(PERSON.id_number[6:10]) - YEARS // 2, 1, 1)
    days = [born + timedelta(days=day) for day in range(365 * YEARS)]
    bodies = (f"{area}{day:%Y%m%d}{last_four[:3]}" for day in days)
    fitting = [number for body in bodies if (number := with_check_character(body)).endswith(last_four)]
    assert PERSON.id_number in fitting
    yield from (number for number in fitting if number != PERSON.id_number)
    yield PERSON.id_number


async def questions_let_in(platform: Platform, numbers: Iterator[str], most: int) -> tuple[list[int], int]:
    """The levels of the questions that were answered, and from how many addresses they had to come."""
    levels: list[int] = []
    level, address = 0, 1
    for number in numbers:
        if len(levels) == most:
            break
        while True:
            asker = Asker(f"192.0.2.{address}", solved(platform, level))
            try:
                await verify.query(
                    platform, CertificateQueryRequest(name=PERSON.name, id_number=number), asker
                )
                raise AssertionError("found")
            except PuzzleNeeded as problem:
                level = int(problem.extra["level"])
            except TooManyRequests:
                address += 1
            except CertificateMissing:
                levels.append(level)
                break
    return levels, address


@pytest.mark.usefixtures("_quick")
async def test_asking_for_the_whole_number_is_too_dear_however_many_addresses_ask(
    platform: Platform, site: str, certificate: Certificate
) -> None:
    page = await Browser(site).get(f"/verify/{certificate.token}")
    [shown] = re.findall(r"[0-9*]{14}[0-9X]{4}", page.text)
    assert shown == f"{'*' * 14}{PERSON.id_number[-4:]}"
    questions = len(list(numbers_that_fit(shown[-4:], PERSON.id_number[:6])))
    assert 300 < questions < 400  # who knows the area asks as often as before: so each question must cost
    numbers = numbers_that_fit(shown[-4:], PERSON.id_number[:6])
    levels, addresses = await questions_let_in(platform, numbers, 30)
    assert levels == [min(n // TERMS.public_misses_doubling, TERMS.public_doublings_most) for n in range(30)]
    assert addresses == 2
    whole = sum(2 ** public_questions.level(n, TERMS) for n in range(questions))
    assert whole > 75_000, "puzzles of the first question, each a tenth of a second of a core"
    assert whole * 3000 > 220_000_000, "of all areas"


@pytest.mark.usefixtures("_quick")
async def test_one_address_waits_after_twenty_misses_of_page_and_phone_and_code_together(
    platform: Platform, site: str, certificate: Certificate, clock: FixedClock
) -> None:
    browser, asker = Browser(site), Asker("127.0.0.1")
    for n in range(6):
        assert (await browser.get(f"/verify/{n}")).status == 404
        missed = await ask_on_page(browser, {"name": f"无名{n}", "id_number": f"{n}"})
        assert missed.status == 404
        body = {"name": f"没有{n}", "certificate_number": f"{n}", "proof": solved(platform)}
        assert (
            await call(site, "POST", "/certificate-queries", body=body)
        ).problem == "certificate-not-found"
    await public_questions.missed(platform, asker.address)
    await public_questions.missed(platform, asker.address)
    right = {"name": PERSON.name, "certificate_number": certificate.printed.number}
    for refused in (
        await ask_on_page(browser, right),
        await browser.get(f"/verify/{certificate.token}"),
    ):
        assert refused.status == 429 and int(refused.headers["Retry-After"]) <= 3600
        assert "分钟后再试" in refused.text
    answer = await call(site, "POST", "/certificate-queries", body={**right, "proof": solved(platform)})
    assert (answer.status, answer.problem) == (429, "too-many-requests") and "Retry-After" in answer.headers
    clock.advance(timedelta(hours=1, seconds=1))
    assert (await browser.get(f"/verify/{certificate.token}")).status == 200


@pytest.mark.usefixtures("_quick")
async def test_a_target_costs_the_same_whether_or_not_it_exists_and_is_never_locked(
    platform: Platform, certificate: Certificate
) -> None:
    for name in (PERSON.name, "查无此人"):
        for n in range(5):
            asked = CertificateQueryRequest(name=name, id_number=f"{name}{n}")
            with pytest.raises(CertificateMissing):
                await ask(platform, asked, f"address {name}")
        asked = CertificateQueryRequest(name=name, id_number="x")
        with pytest.raises(PuzzleNeeded) as refused:
            await verify.query(platform, asked, Asker("z", solved(platform)))
        assert refused.value.extra["level"] == 5 // TERMS.public_misses_doubling
    right = CertificateQueryRequest(name=PERSON.name, id_number=PERSON.id_number)
    for _ in range(3):
        assert [one.number for one in await ask(platform, right)] == [certificate.printed.number]
    kept = [str(row) async for row in platform["public_misses"].find({})]
    assert kept and not any(PERSON.name in row or "查无此人" in row for row in kept)
    assert all(re.match(r"\{'_id': '[0-9a-f]{64}'", row) for row in kept)


@pytest.mark.usefixtures("_quick")
async def test_what_is_answered_counts_for_nothing(platform: Platform, certificate: Certificate) -> None:
    right = CertificateQueryRequest(name=PERSON.name, certificate_number=certificate.printed.number)
    for _ in range(TERMS.public_misses_of_address + 5):
        assert await verify.query(platform, right, Asker("192.0.2.9", solved(platform)))


@pytest.mark.usefixtures("_quick")
async def test_a_burst_of_questions_is_counted_one_by_one(
    platform: Platform, certificate: Certificate
) -> None:
    """Thirty easy puzzles solved in advance and sent at once: only as many are looked at as one after the other."""

    async def guess(n: int) -> str:
        asked = CertificateQueryRequest(name=PERSON.name, id_number=f"{n}")
        try:
            await verify.query(platform, asked, Asker(f"192.0.2.{n}", solved(platform)))
        except CertificateMissing:
            return "looked up"
        except PuzzleNeeded:
            return "refused"
        return "found"

    outcomes = await asyncio.gather(*(guess(n) for n in range(30)))
    assert outcomes.count("looked up") <= TERMS.public_misses_doubling
    assert set(outcomes) == {"looked up", "refused"}


async def test_a_solution_serves_one_question_until_it_is_too_old(
    platform: Platform, certificate: Certificate, clock: FixedClock
) -> None:
    right = CertificateQueryRequest(name=PERSON.name, certificate_number=certificate.printed.number)
    other = CertificateQueryRequest(name=PERSON.name, id_number="x")
    spent = Asker(ANYWHERE.address, solved(platform))
    assert await verify.query(platform, right, spent)
    assert await verify.query(platform, right, spent), "the answer was lost on the way: the same again"
    old = Asker(ANYWHERE.address, solved(platform))
    forged = orjson.dumps({"challenge": {"parameters": {}, "signature": ""}, "solution": {}}).decode()
    easier = puzzles.puzzle(platform, 0)
    easier["parameters"]["data"]["level"] = 8
    clock.advance(puzzles.PUZZLE_LIVES)
    for asker in (spent, old, ANYWHERE, Asker("a", forged), Asker("a", "x"), Asker("a", solution(easier))):
        with pytest.raises(PuzzleNeeded):
            await verify.query(platform, other, asker)


async def test_without_a_script_the_browser_waits_longer_than_the_puzzle_takes(
    platform: Platform, site: str, certificate: Certificate, clock: FixedClock
) -> None:
    browser = Browser(site)
    form = {"name": PERSON.name, "certificate_number": certificate.printed.number}
    first = await browser.post("/certificates/query", form)
    assert first.status == 428 and "再按一次“查询”" in first.text and PERSON.name in first.html
    ticket = ticket_of(first.html)
    early = await browser.post("/certificates/query", {**form, "ticket": ticket})
    assert early.status == 428 and ticket_of(early.html) == ticket
    second = ticket_of((await browser.post("/certificates/query", form)).html)
    clock.advance(timedelta(seconds=TERMS.public_wait_seconds + 1))
    shown = await browser.post("/certificates/query", {**form, "ticket": ticket})
    assert shown.status == 200 and "证书有效" in shown.text
    for used in (ticket, second):  # the second one queues behind the first
        again = await browser.post("/certificates/query", form | {"name": "别人", "ticket": used})
        assert again.status == 428
    with pytest.raises(PuzzleNeeded):
        puzzles.waited(platform, second, "198.51.100.1")
    forged = second.replace("wait.0.", "wait.8.")
    with pytest.raises(PuzzleNeeded):
        puzzles.waited(platform, forged, "127.0.0.1")


async def test_the_queue_of_an_address_ends_somewhere(platform: Platform) -> None:
    given = [await puzzles.ticket(platform, "192.0.2.1", 8, 1280) for _ in range(10)]
    assert given[0] is not None and given[-1] is None
    assert await puzzles.ticket(platform, "192.0.2.2", 0, 5) is not None


def ticket_of(page: str) -> str:
    [found] = re.findall(r'name="ticket" value="([^"]+)"', page)
    return str(found)


async def test_the_public_and_other_people_see_the_last_four_only(visitors: Visitors) -> None:
    """Every address that is opened by whoever does not work with the people of the class."""
    seen, wrong = 0, []
    for who in ("anybody", "unbound", "trainee", "other-trainee", "other-teacher"):
        own = set()
        if who != "anybody":
            me = await visitors.answered(who, "GET", "/api/v1/me")
            own = set(THREE_AND_FOUR.findall(me.html))
        for address, inside in openings():
            if who not in inside:
                continue
            answer = await visitors.answered(who, "GET", address)
            if not str(answer.headers.get("Content-Type", "")).startswith(("text/", "application/json")):
                continue
            seen += 1
            if others := set(THREE_AND_FOUR.findall(answer.html)) - own:
                wrong.append(f"{address} by {who}: {others}")
    assert not wrong, "\n".join(wrong)
    assert seen > 60
