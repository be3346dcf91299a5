"""Stories of a class: `story` has the stage and the table of acts, the other modules the acts, chapter by chapter."""

from tests.life import corrected, interrupted, people, reopened, results, teaching
from tests.life.story import ACTS, OWED, Life, Move, NothingToDo, begin

__all__ = [
    "ACTS",
    "OWED",
    "Life",
    "Move",
    "NothingToDo",
    "begin",
    "corrected",
    "interrupted",
    "people",
    "reopened",
    "results",
    "teaching",
]
