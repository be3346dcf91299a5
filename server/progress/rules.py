"""What comes next for a class (指南第四条), reckoned from its facts alone: the one truth of every list, page, inbox and reminder.

Each line says what is to be done, whose it is, since when it waits, until when it should be done, and what has to come first. A class that
is done with has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from server.progress import steps
from server.progress.known import ClassFacts, Owner, Phase, Step


def next_steps(facts: ClassFacts, today: date) -> list[Step]:
    """What waits, most urgent first: what can be done now by the day it is due, and then what something else has to come before."""
    if facts.ended:
        return []
    going = (
        steps.inviting,
        steps.scheme,
        steps.changes,
        steps.enrolling,
        steps.coming,
        steps.teaching,
        steps.assessing,
        steps.closing,
    )
    reckoned = (steps.changes, steps.ending) if facts.died_by(today) else going
    found = [one for reckon in reckoned for one in reckon(facts, today)]
    phases = list(Phase)
    return sorted(
        found, key=lambda one: (bool(one.blocked_by), one.due or date.max, phases.index(one.phase), one.key)
    )


def in_order(steps: Sequence[Step], office: Owner) -> list[Step]:
    """As an office reads what waits, most urgent first: the first of them leads, on every list and page. What holds the class up comes
    before what is done beside it, and of each what the office can do itself."""
    return sorted(steps, key=lambda one: (bool(one.blocked_by), one.beside, not one.is_of(office)))


def holding(steps: Sequence[Step]) -> list[Step]:
    """Those on which a class hangs (卡在谁), of steps in order: what can be done now and holds it up, or else what leads."""
    return [one for one in steps if not one.blocked_by and not one.beside] or list(steps[:1])


def may_be_urged(since: date | None, today: date, after: int, last: date | None) -> bool:
    """Whether somebody may be asked again for what waits since then: after `after` days (policy `urge_after_days`), and once a day; never
    for what nobody can say since when it waits."""
    return since is not None and today >= since + timedelta(days=after) and last != today
