"""Several server processes on one port: starts them, restarts the one that crashes, ends them all when asked."""

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from server.kernel import processes

log = logging.getLogger(__name__)

STEADY_SECONDS = 10.0  # a worker that has run so long has started well
FAILURES = 6  # so many ends in a row, none of them steady, and the supervisor gives up
PAUSES = [0.0, 0.5, 1.0, 2.0, 4.0]  # seconds before each restart in between
PATIENCE = 30.0  # seconds that a worker has for the requests in hand
TICK = 0.1


def run_workers(count: int, command: Callable[[int], list[str]], env: dict[str, str]) -> int:
    """Run `command(0)` … `command(count - 1)` in the environment `env` until SIGTERM or SIGINT; the exit code of the whole.

    0 after such a signal. When a worker fails at its very first start, or again and again later, the others are ended too and its
    exit code is returned: what a restart does not heal must be seen. Workers die with this process, however it dies.
    To be called from the main thread.
    """
    with _stop_signals() as stopped_by:
        workers = [_Worker(number, command(number), env) for number in range(count)]
        try:
            while not stopped_by:
                for worker in workers:
                    worker.look_after()
                time.sleep(TICK)
        except _GivenUp as given_up:
            log.error("worker %d ended with code %d; giving up", given_up.number, given_up.code)  # noqa: TRY400
            return given_up.code
        finally:
            _end_all(workers)
    return 0


class _GivenUp(Exception):
    def __init__(self, number: int, code: int) -> None:
        super().__init__(number, code)
        self.number = number
        self.code = code


@dataclass
class _Worker:
    number: int
    command: list[str]
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    ever_steady: bool = False
    due: float = field(default_factory=time.monotonic)

    def look_after(self) -> None:
        """Start the worker when it is due; note its end, and when to start it again. Raises `_GivenUp`."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.started = now
                self.process = processes.spawn(self.command, env=self.env)
        elif self.process.poll() is not None:
            self._ended(now, self.process.returncode)

    def _ended(self, now: float, code: int) -> None:
        self.process = None
        steady = now - self.started >= STEADY_SECONDS
        self.ever_steady = self.ever_steady or steady
        self.failures = 1 if steady else self.failures + 1
        if not self.ever_steady or self.failures >= FAILURES:
            raise _GivenUp(self.number, code if code > 0 else 1)
        self.due = now + PAUSES[self.failures - 1]
        log.error("worker %d ended with code %d; starting it again", self.number, code)


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """A list that fills with the SIGTERM and SIGINT that arrive."""
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda which, _frame: arrived.append(which))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield arrived
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_all(workers: list[_Worker]) -> None:
    """All are asked first, so that they end side by side."""
    running = [worker.process for worker in workers if worker.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in running:
        processes.let_end(process, max(0.0, deadline - time.monotonic()))
