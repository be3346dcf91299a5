"""The choices that several pages offer."""

from __future__ import annotations

from datetime import datetime

from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS, Level
from server.kernel.clock import WEEKDAYS as WEEKDAY_NAMES
from server.kernel.clock import beijing_date

NEVER_SHOWN_AGAIN = frozenset({"_xsrf", "_draft", "password", "current", "new", "again"})
NEVER_KEPT = NEVER_SHOWN_AGAIN | {"id_number", "phone", "phone_digits", "code", "sought"}
"""Fields that no browser keeps for later: secrets, and the numbers of people."""
FIRST_YEAR = 2022
"""Of the first classes that a certificate number of the guide names (article 17)."""
LEVELS = [(level.value, level.label) for level in (Level.THREE, Level.TWO, Level.ONE, Level.BACKBONE)]
MAJOR_OPTIONS = [
    (major.code, f"{major.code} {major.name}{'' if major.confirmed else '（待核）'}")
    for major in MAJORS.values()
]
MONTHS = [(month, f"{month} 月") for month in range(1, 13)]
PROVINCE_OPTIONS = [(province.code, province.name) for province in PROVINCES]
WEEKDAYS = [(str(number), name) for number, name in enumerate(WEEKDAY_NAMES)]


def years(now: datetime) -> list[tuple[int, str]]:
    """Next year first: its plans are made already."""
    return [(year, f"{year} 年") for year in range(beijing_date(now).year + 1, FIRST_YEAR - 1, -1)]
