"""Corrections of an ID number for the tests: the right one, and the request that names it."""

from __future__ import annotations

from server.corrections.rules import Ground
from server.corrections.service import TraineeCorrection
from tests import cast
from tests.cast import Person

NEW_NUMBER = cast.people(3)[2].id_number
"""Of nobody on a roster yet."""


def renumbered(one: Person, id_number: str) -> TraineeCorrection:
    typed = f" {id_number.lower()} "
    return TraineeCorrection(
        name=one.name, id_number=typed, ground=Ground.MISSPELT, reason="已核对本人身份证原件。"
    )
