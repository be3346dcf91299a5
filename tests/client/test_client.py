"""The mini-program's own checks, which need node: types made of the API as it is, its unit tests, the size of the package, its lock."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[2] / "miniprogram_api" / "client"
MOST_BYTES = 1.5 * 2**20
NPM = shutil.which("npm")

needs_node = pytest.mark.skipif(
    NPM is None or not (CLIENT / "node_modules").exists(),
    reason="no npm, or no packages: scripts/test fetches both",
)


def run(script: str) -> None:
    assert NPM is not None
    done = subprocess.run(
        [NPM, "run", "--silent", script], cwd=CLIENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@needs_node
def test_the_client_fits_the_api_as_it_is_described_today() -> None:
    run("check")


@needs_node
def test_the_unit_tests_of_the_client_pass() -> None:
    run("test")


def test_the_package_is_small_and_asks_no_third_party() -> None:
    packed = CLIENT / "built" / "weapp"
    if not packed.exists():
        pytest.skip("not built: scripts/test does it")
    files = [file for file in packed.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    for file in files:
        if file.suffix == ".wxss":
            assert "://" not in file.read_text("utf-8"), file


def test_packages_are_pinned_and_the_lock_names_no_registry() -> None:
    package = json.loads((CLIENT / "package.json").read_text("utf-8"))
    pinned = {**package["dependencies"], **package["devDependencies"]}
    assert all(version[0].isdigit() for version in pinned.values())
    lock = json.loads((CLIENT / "package-lock.json").read_text("utf-8"))
    assert not [name for name, one in lock["packages"].items() if "resolved" in one]


def test_every_page_has_its_four_files_and_what_touches_the_phone_asks_first() -> None:
    app = json.loads((CLIENT / "src" / "app.json").read_text("utf-8"))
    private = (
        "scanCode",
        "chooseMedia",
        "chooseMessageFile",
        "getLocation",
        "saveImageToPhotosAlbum",
        "setClipboardData",
    )
    rooted = [f"{one['root']}/{page}" for one in app.get("subPackages", []) for page in one["pages"]]
    for page in (*app["pages"], *rooted):
        script, shape = ((CLIENT / "src" / f"{page}{kind}").read_text("utf-8") for kind in (".ts", ".wxml"))
        assert json.loads((CLIENT / "src" / f"{page}.json").read_text("utf-8"))["navigationBarTitleText"]
        if any(f"wx.{name}" in script for name in private) or "getPhoneNumber" in shape:
            assert "<privacy-popup" in shape, page
