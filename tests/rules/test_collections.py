"""Collections are found where they are declared: what the code asks of the database is declared, once, and nothing else."""

import ast
import importlib
from pathlib import Path

import pytest

import server
from server.__main__ import COLLECTIONS
from server.kernel.mongo import collections_of

DATABASES = {"scope", "unit", "platform", "_platform", "db", "self"}
"""What the code calls that which it asks for a collection by its name."""


def named_in(path: Path) -> set[str]:
    """The collections that a module reads or writes: `scope["classes"]`."""
    return {
        node.slice.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Subscript)
        and (node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", ""))
        in DATABASES
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }


def test_every_collection_that_is_used_is_declared_exactly_once() -> None:
    """But for the steps of upgrades, which may know of a collection that is no more."""
    modules = [file for path in server.__path__ for file in Path(path).rglob("*.py")]
    steps = {file for file in modules if file.parent.name == "upgrades" and file.name.startswith("s0")}
    used = {name for file in modules if file not in steps for name in named_in(file)}
    assert [one.name for one in COLLECTIONS] == sorted(used)


def test_a_collection_declared_twice_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("store", "other_store"):
        chapter = tmp_path / "two_chapters" / module
        chapter.mkdir(parents=True)
        (chapter / "__init__.py").write_text(
            "from server.kernel.mongo import CollectionSpec\n"
            "COLLECTIONS = (CollectionSpec('classes', shard_key=None),)\n"
        )
    (tmp_path / "two_chapters" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="declared more than once: classes"):
        collections_of(importlib.import_module("two_chapters"))
