"""Questions of the public, each with the puzzle solved that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from altcha import solve_challenge
from altcha.v2 import Challenge, Payload

from server.certificates import verify
from server.certificates.verify import CertificateQueryRequest, PublicPaper
from server.kernel import puzzles
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from server.kernel.puzzles import PuzzleNeeded
from tests.admin.browserless import Browser, Shown
from tests.api.client import Answer, call

ANYWHERE = Asker("192.0.2.1")


def solution(puzzle: dict[str, Any]) -> str:
    """What the widget would send."""
    challenge = Challenge.from_dict(puzzle)
    found = solve_challenge(challenge)
    assert found is not None
    return Payload(challenge, found).to_base64()


def solved(platform: Platform, level: int = 0) -> str:
    return solution(puzzles.puzzle(platform, level))


async def solved_of(site: str, level: int = 0) -> str:
    """A puzzle fetched as phones and pages fetch it."""
    return solution((await call(site, "GET", f"/puzzles?level={level}")).json)


async def ask(
    platform: Platform, asked: CertificateQueryRequest, address: str = ANYWHERE.address
) -> list[PublicPaper]:
    """Solves what it takes, as often as it takes."""
    level = 0
    while True:
        try:
            return await verify.query(platform, asked, Asker(address, solved(platform, level)))
        except PuzzleNeeded as problem:
            level = int(problem.extra["level"])


async def ask_by_phone(site: str, body: Mapping[str, str]) -> Answer:
    proof = await solved_of(site)
    answer = await call(site, "POST", "/certificate-queries", body={**body, "proof": proof})
    if answer.status != 428:
        return answer
    proof = await solved_of(site, answer.json["level"])
    return await call(site, "POST", "/certificate-queries", body={**body, "proof": proof})


async def ask_on_page(browser: Browser, form: Mapping[str, str]) -> Shown:
    """With the puzzle of the first question."""
    return await browser.post("/certificates/query", {**form, "proof": await solved_of(browser.site)})
