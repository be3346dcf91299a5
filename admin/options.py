"""The choices that several pages offer."""

from __future__ import annotations

from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS, Level

LEVELS = [(level.value, level.title) for level in (Level.THREE, Level.TWO, Level.ONE, Level.BACKBONE)]
MAJOR_OPTIONS = [
    (major.code, f"{major.code} {major.name}{'' if major.confirmed else '（待核）'}")
    for major in MAJORS.values()
]
PROVINCE_OPTIONS = [(province.code, province.name) for province in PROVINCES]
