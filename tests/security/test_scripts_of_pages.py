"""What our scripts never do: make markup or code of text, keep anything in the browser but where that is what they are for, talk to
other windows or other hosts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admin.rendering import STATIC, TEMPLATES

SCRIPTS = sorted(STATIC.glob("*.js"))
NEVER = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage", "sessionStorage",
    "indexedDB", "document.cookie", "postMessage", "importScripts", "__proto__", "http://", "https://",
)  # fmt: skip

KEPT = {
    "drafts.js": {
        "localStorage",
        "document.cookie",
    },  # what was typed, until the server says it has it (0032)
    "classroom.js": {"localStorage"},  # how the projector is to look
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_makes_no_markup_keeps_nothing_and_asks_nobody_else(script: Path) -> None:
    text = script.read_text("utf-8")
    assert {word for word in NEVER if word in text} == KEPT.get(script.name, set())


def test_pages_load_nothing_from_elsewhere_and_mark_no_text_as_safe() -> None:
    assert SCRIPTS
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"""(?:src|action)=["'](?:https?:)?//""", text), template
        assert not re.search(r"""<link[^>]*href=["'](?:https?:)?//""", text), template
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), template
