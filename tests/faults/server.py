"""A real server process on a data directory of its own, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 300.0


class ServerProcess:
    """`python -m server` with the embedded mongod; `kill` is SIGKILL to the server and to its database alike."""

    def __init__(self, data_dir: Path, port: int, *options: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = data_dir / "server.log"
        self._output = data_dir / "server.out"
        environment = {name: value for name, value in os.environ.items() if name != "MONGODB_URI"}
        with self._log.open("ab") as log, self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server", "--data-dir", str(data_dir), "--port", str(port), *options],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=log,
            )
        self._wait_until_it_answers()

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def output(self) -> str:
        return self._output.read_text()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the server ended: {self.log}{self.output}"
            try:
                urlopen(f"{self.url}/healthz", timeout=5).close()
            except OSError:
                time.sleep(0.05)
                continue
            if (
                "平台已启动" in self.output
            ):  # of several processes, another may answer before the first is ready
                return
            time.sleep(0.05)
        raise AssertionError(f"no answer at /healthz: {self.log}")

    def kill(self) -> None:
        """SIGKILL to the server and to its mongod, in that order and at once."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(self._process.pid, signal.SIGKILL)
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)
