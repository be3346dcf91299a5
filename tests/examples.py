"""How many examples hypothesis tries where each costs: a story of officers takes dozens of transactions, a workbook is built and read.

Usually so many that every row of a table is tried several times over; with `--hypothesis-profile deep` ten times as many.
"""

from hypothesis import HealthCheck, settings


def examples(usually: int) -> settings:
    """What stands above a test in the place of hypothesis's own `settings`. A story clears the stage itself."""
    depth = settings().max_examples // 100
    return settings(max_examples=usually * depth, suppress_health_check=list(HealthCheck))
