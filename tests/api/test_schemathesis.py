"""Schemathesis over the whole API, as a trainee and as a backbone teacher: no answer is a fault of the server, none breaks its contract."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.examples import examples
from tests.security.world import build_world

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.parametrize("who", ["trainee", "teacher"])
async def test_no_request_breaks_the_server_or_the_contract(
    platform: Platform,
    wechat: Simulator,
    site: str,
    who: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(platform.limiter, "hit", _never_too_often)
    world = await build_world(platform, wechat)
    run = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("st")),
        "--no-color",
        *("--config-file", str(CONFIGURATION)),
        *("run", f"{site}/api/v1/openapi.json"),
        *(
            "--checks",
            "all",
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            str(examples(5).max_examples),
        ),
        *("--header", f"Authorization: Bearer {world.phones[who].token}"),
        *("--seed", "1", "--continue-on-failure"),
        cwd=tmp_path,
        env=os.environ | {f"WORLD_{name.upper()}": value for name, value in world.ids.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await run.communicate()
    assert run.returncode == 0, output.decode()


async def _never_too_often(*_: str, **__: int) -> None:
    """Rate limits are tested where they stand."""
