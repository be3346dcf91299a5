"""The audit trail speaks Chinese: of whatever the platform does, not only of what somebody thought of."""

import re
from enum import StrEnum
from pathlib import Path

from server.admissions.rules import Action as AdmissionAction
from server.audit_words import TITLES
from server.corrections.rules import Action as CorrectionAction
from server.duties.rules import Action as DutyAction
from server.institutions.rules import QualificationAction, RequestAction
from server.invitations.rules import Action as InvitationAction
from server.qualification.rules import Action as ReviewAction
from server.reissues.rules import Action as ReissueAction
from server.selection.rules import Action as SelectionAction
from server.selection.rules import ListAction

SERVER = Path(__file__).parents[2] / "server"
SOURCES = "\n".join(
    path.read_text("utf-8")
    for path in SERVER.rglob("*.py")
    if path.name not in ("permissions.py", "audit_words.py")
)
OF_STATE_TABLES: tuple[tuple[str, type[StrEnum], str], ...] = (
    ("admissions", AdmissionAction, ""),
    ("corrections", CorrectionAction, ""),
    ("duties", DutyAction, "-guidance"),
    ("institutions", QualificationAction, ""),
    ("institutions", RequestAction, "-request"),
    ("invitations", InvitationAction, ""),
    ("qualification", ReviewAction, ""),
    ("reissues", ReissueAction, ""),
    ("selection", SelectionAction, ""),
    ("selection", ListAction, "-list"),
)
"""Chapters that name what they note after the action of their table."""


def test_what_the_platform_notes_has_words_of_its_own_in_chinese_and_nothing_else_has() -> None:
    written = set(re.findall(r'"([a-z]+:[a-z1-9-]+)"', SOURCES))
    by_table = {
        f"{chapter}:{action.value.lower().replace('_', '-')}{ending}"
        for chapter, actions, ending in OF_STATE_TABLES
        for action in actions
    }
    assert written - TITLES.keys() == set(), "say in server/audit_words.py what these are called"
    assert TITLES.keys() - written - by_table == set(), "nobody does these"
    assert len(set(TITLES.values())) == len(TITLES)
    assert all(re.search(r"[\u4e00-\u9fff]", words) for words in TITLES.values())


def test_whoever_notes_an_action_of_a_table_stands_in_this_list() -> None:
    composed = re.findall(r"""audit\(\s*(?:f"([a-z]+):\{|"([a-z]+):" \+)""", SOURCES)
    assert {one or other for one, other in composed} == {chapter for chapter, _, _ in OF_STATE_TABLES}


def test_every_action_of_a_table_that_is_noted_has_words() -> None:
    silent = {"institutions:enter"}  # noted as entering annex 1, or with the publication
    missing = {
        f"{chapter}:{action.value.lower().replace('_', '-')}{ending}"
        for chapter, actions, ending in OF_STATE_TABLES
        for action in actions
    } - TITLES.keys()
    assert missing <= silent
