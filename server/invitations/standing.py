"""How the invitations of classes stand: for whoever has to ask somebody, or to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.classes.rules import Kind
from server.invitations import store
from server.invitations.documents import Invitation
from server.invitations.rules import State
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.unit_of_work import Scope

TOLD_FOR = timedelta(days=7)
"""How long an institution is told of a letter that nobody answered, where somebody else is there."""


@dataclass(frozen=True)
class Asked:
    """The letters of a class for one kind of work."""

    open: tuple[Invitation, ...]
    """Those that wait for their answer."""
    lost: bool
    """Everybody who was asked has declined, or let it expire, and nobody else was asked."""
    unanswered: tuple[Invitation, ...]
    """Those that nobody answered by their day, lately, where somebody else is asked or has accepted, and nobody was asked since."""
    lapsed_on: date | None = None
    """Where nobody is asked and nobody has accepted: since when that is so."""


async def of_classes(scope: Scope, class_ids: Sequence[str]) -> dict[str, dict[Kind, Asked]]:
    """By class and kind; what nobody was ever asked for is left out."""
    found: dict[str, dict[Kind, Asked]] = {}
    now = scope.platform.clock.now()
    for (class_id, kind), letters in (await store.letters_by_task(scope, class_ids)).items():
        states = [one.state_at(now) for one in letters]
        last = max(one.sent_at for one in letters)
        expired = tuple(
            one
            for one, state in zip(letters, states, strict=True)
            if state is State.EXPIRED and one.reply_by > max(last, now - TOLD_FOR)
        )
        live = bool({State.SENT, State.ACCEPTED}.intersection(states))
        found.setdefault(class_id, {})[Kind(kind)] = Asked(
            tuple(one for one, state in zip(letters, states, strict=True) if state is State.SENT),
            not live and bool({State.DECLINED, State.EXPIRED}.intersection(states)),
            expired if live else (),
            None if live else max(_lapsed_on(one, state) for one, state in zip(letters, states, strict=True)),
        )
    return found


async def answers_waiting(scope: Scope, actor: Actor) -> int:
    """How many letters wait for the answer of this backbone teacher."""
    return await store.count_open(scope, actor.person_id, scope.platform.clock.now())


def _lapsed_on(letter: Invitation, state: State) -> date:
    """When a letter that stands no more ceased to: one that nobody answered, at the end of its day."""
    return beijing_date(letter.reply_by if state is State.EXPIRED else letter.last.at)
