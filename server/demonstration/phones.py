"""Phones of the demonstration agree to messages, so that they ring when something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.messages import inbox
from server.messages.rules import Answer
from server.messages.templates import templates_on

GiveGrant = Callable[[str, str], None]
"""The person with this openid agrees to one message of this template: the simulated WeChat's `world.grant`."""


async def subscribe(
    platform: Platform, actor: Actor, give_grant: GiveGrant, kinds: Iterable[str], times: int = 1
) -> None:
    """The person of this phone agrees `times` times to messages of each of these kinds, and the mini-program reports it."""
    assert actor.openid is not None
    templates = await templates_on(platform, beijing_date(platform.clock.now()))
    wanted = [templates[kind].template_id for kind in kinds]
    for _ in range(times):
        for template_id in wanted:
            give_grant(actor.openid, template_id)
        answers = dict.fromkeys(wanted, Answer.ACCEPT)
        await inbox.report_grants(platform, actor, f"demonstration-{new_id()}", answers)
