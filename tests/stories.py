"""How many stories are told of officers who do random things on the real database: each takes dozens of transactions.

Usually so many that every row of a table is tried several times over; with `--hypothesis-profile deep` ten times as many.
"""

from hypothesis import HealthCheck, settings


def stories(usually: int) -> settings:
    """What goes above a test in the place of hypothesis's own `settings`. The stage is cleared by the story itself."""
    depth = settings().max_examples // 100
    return settings(max_examples=usually * depth, suppress_health_check=list(HealthCheck))
