"""What WeChat says of words: as few questions as do, so many an hour for one phone, and never a long wait.

WeChat's quota is everybody's: whoever used it up would have everybody's words taken unchecked for the rest of the day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from server.kernel.errors import Problem
from server.kernel.platform import Platform
from server.wechat.content_documents import State
from server.wechat.errors import WeChatRefused

LONGEST = 2500
"""Characters of one question to `msgSecCheck`."""
OVERLAP = 20
"""Characters that two pieces of a long text share, so that no word is cut in two unseen."""
SCREENED_WITHIN = 5.0
"""Seconds that a teacher waits at most, however many pieces the text has."""
QUESTIONS = "600/hour"
"""Of one phone: several times what a teacher needs who grades a class and writes its scheme in one evening."""
NOT_SEEN_LATELY = 61010

Answer = tuple[State, int | None]
"""And WeChat's number of what it found."""


async def ask_about_all(
    platform: Platform, openid: str, scene: int, texts: Sequence[str], *, counted: bool
) -> list[Answer]:
    """The verdict on each of these texts. Raises TooManyRequests, unless it is not `counted`.

    What is short is asked about together, and the same words once; one by one only where something is wrong with them.
    """
    bundles = bundled(texts)
    if counted:
        await _count(platform, openid, sum(len(pieces("\n".join(bundle))) for bundle in bundles))
    answers = await asyncio.gather(
        *(_ask_about_bundle(platform, openid, scene, bundle, counted=counted) for bundle in bundles)
    )
    found = {
        text: answer
        for bundle, of_bundle in zip(bundles, answers, strict=True)
        for text, answer in zip(bundle, of_bundle, strict=True)
    }
    return [found[text] for text in texts]


async def _ask_about_bundle(
    platform: Platform, openid: str, scene: int, texts: Sequence[str], *, counted: bool
) -> list[Answer]:
    """As long as somebody may be kept waiting for it."""
    answers: list[Answer] = [(State.WAITING, None)] * len(texts)
    with suppress(TimeoutError):
        async with asyncio.timeout(SCREENED_WITHIN):
            whole = await ask_about(platform, openid, scene, "\n".join(texts))
            answers = [whole] * len(texts)
            if len(texts) > 1 and whole[0] in (State.RISKY, State.REVIEW):
                if counted:
                    await _count(platform, openid, len(texts))
                alone = await asyncio.gather(*(ask_about(platform, openid, scene, one) for one in texts))
                # Of what could not be asked alone, the answer to all of them is all that is known.
                answers = [whole if one[0] in (State.WAITING, State.UNCHECKED) else one for one in alone]
    return answers


async def _count(platform: Platform, openid: str, questions: int) -> None:
    await platform.limiter.hit("content-check", QUESTIONS, openid, cost=questions)


async def ask_about(platform: Platform, openid: str, scene: int, text: str) -> Answer:
    """The worst verdict on the pieces of a text; WAITING when there is none to be had."""
    worst: Answer = (State.PASSED, None)
    for piece in pieces(text):
        try:
            verdict = await platform.wechat.check_text(openid, scene, piece)
        except Problem as problem:
            return State.UNCHECKED if never(problem) else State.WAITING, None
        state = state_of(verdict.suggest)
        if state is State.RISKY:
            return state, verdict.label
        if state is State.REVIEW:
            worst = state, verdict.label
    return worst


def never(problem: Problem) -> bool:
    """Whether asking again would bring the same refusal."""
    return isinstance(problem, WeChatRefused) or problem.extra.get("errcode") == NOT_SEEN_LATELY


def state_of(suggest: str) -> State:
    """A word that WeChat has never said before is for a person to look at."""
    return {"pass": State.PASSED, "risky": State.RISKY}.get(suggest, State.REVIEW)


def bundled(texts: Sequence[str]) -> list[list[str]]:
    """Each text once, in bundles that fit into one question when their texts stand on lines of their own; what is longer stands alone."""
    bundles: list[list[str]] = []
    room = 0
    for text in dict.fromkeys(texts):
        if len(text) < room:
            bundles[-1].append(text)
            room -= len(text) + 1
        else:
            bundles.append([text])
            room = LONGEST - len(text)
    return bundles


def pieces(text: str) -> list[str]:
    """A text in pieces that WeChat takes, each beginning with the end of the one before."""
    step = LONGEST - OVERLAP
    return [text[start : start + LONGEST] for start in range(0, max(len(text) - OVERLAP, 1), step)]
