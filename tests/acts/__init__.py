"""The cases of README's table 办理与退路, chapter by chapter."""

from tests.acts import interrupted, overseen, people, planning, reissuing, results, seals, teaching
from tests.acts.walking import CASES

__all__ = [
    "CASES",
    "interrupted",
    "overseen",
    "people",
    "planning",
    "reissuing",
    "results",
    "seals",
    "teaching",
]
