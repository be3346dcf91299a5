"""The audit trail speaks Chinese: of whatever the platform does, not only of what somebody thought of."""

import re
from pathlib import Path

from admin.audit_words import TITLES

SERVER = Path(__file__).parents[2] / "server"


def test_every_action_of_the_platform_has_chinese_words() -> None:
    actions = {
        action
        for source in SERVER.rglob("*.py")
        for action in re.findall(r"""\.audit\(\s*f?["']([^"']+)["']""", source.read_text("utf-8"))
    }
    calls = sum(source.read_text("utf-8").count("unit.audit(") for source in SERVER.rglob("*.py"))
    assert len(actions) > 30 and calls >= len(actions)
    assert actions - TITLES.keys() == set(), "say in admin/audit_words.py what these are called"
    assert all(re.search(r"[\u4e00-\u9fff]", words) for words in TITLES.values())


def test_no_words_are_kept_for_what_nobody_does() -> None:
    written = "\n".join(source.read_text("utf-8") for source in SERVER.rglob("*.py"))
    assert {action for action in TITLES if f'"{action}"' not in written} == set()
