"""Several processes that start at once on an empty database, and a database that is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from tests.faults.server import ROOT, ServerProcess
from tests.faults.test_killed_server import free_port


def test_three_processes_start_at_once_on_an_empty_database(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, free_port(), "--processes", "3") as server:
        for _ in range(12):
            assert urlopen(f"{server.url}/healthz", timeout=60).status == 200
        assert '"level":"ERROR"' not in server.log, server.log
        assert "初始密码" in server.output


def test_a_database_that_cannot_be_reached_gives_one_clear_line_and_exit_code_1(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "server", "--data-dir", str(tmp_path), "--port", str(free_port())],
        cwd=ROOT,
        env=os.environ | {"MONGODB_URI": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("连不上数据库") and ended.stderr.count("\n") == 1, ended.stderr
