"""A demonstration of two processes that is moved on, stopped, and started without being one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.faults.server import ROOT, ServerProcess
from tests.faults.test_killed_server import free_port

TRIES = 20
"""Each has a connection of its own: the kernel deals them out between the processes."""


def civil(url: str, to: datetime | None = None) -> datetime:
    body = json.dumps({"to": to.isoformat()}).encode() if to else None
    asked = Request(f"{url}/simulator/time", body, method="PUT" if body else "GET")
    with urlopen(asked, timeout=120) as answer:
        return datetime.fromisoformat(json.load(answer)["civil"])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_both_processes_follow_a_move_also_after_a_start_and_nothing_else_may_start_on_it(
    tmp_path: Path,
) -> None:
    with ServerProcess(tmp_path, free_port(), "--demo", "--processes", "2") as server:
        target = civil(server.url) + timedelta(days=1)
        assert civil(server.url, target) >= target
        assert min(civil(server.url) for _ in range(TRIES)) >= target
        assert '"level":"ERROR"' not in server.log, server.log
    for options in ([], ["--processes", "2"]):
        refused = subprocess.run(
            [
                sys.executable,
                "-m",
                "server",
                "--data-dir",
                str(tmp_path),
                "--port",
                str(free_port()),
                *options,
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert refused.returncode == 1
        assert refused.stderr.startswith("平台无法启动：这个数据库的演示时间已推进到"), refused.stderr
        assert refused.stderr.count("\n") == 1 and "只能带 --demo 启动" in refused.stderr
    with ServerProcess(tmp_path, free_port(), "--demo") as again:
        assert civil(again.url) >= target
