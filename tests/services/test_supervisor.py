"""Several processes serve as one: none is missed, none is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from server import supervisor
from server.kernel import processes

REPOSITORY = Path(__file__).parents[2]

SUPERVISOR = """
import os, sys
from server import supervisor
supervisor.STEADY_SECONDS = 0.0
supervisor.PAUSES = [0.0] * 5
worker = sys.argv[1]
sys.exit(supervisor.run_workers(2, lambda number: [sys.executable, "-c", worker, str(number)], dict(os.environ)))
"""

# Says that it runs, and when asked to stop, that it has finished what was in hand.
STEADY_WORKER = """
import os, signal, sys
def stop(*_):
    os.write(1, f"finished {sys.argv[1]}\\n".encode())
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
os.write(1, f"running {sys.argv[1]} {os.getpid()}\\n".encode())
while True:
    signal.pause()
"""


@pytest.fixture
def supervised() -> "Iterator[subprocess.Popen[str]]":
    """Two steady workers under a supervisor in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, STEADY_WORKER], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def said(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def running(process: "subprocess.Popen[str]", count: int) -> dict[str, int]:
    """The next `count` workers that say that they run: number → process id."""
    lines = [said(process).readline().split() for _ in range(count)]
    assert all(line[0] == "running" for line in lines)
    return {line[1]: int(line[2]) for line in lines}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_every_worker_finish(supervised: "subprocess.Popen[str]", number: signal.Signals) -> None:
    running(supervised, 2)
    supervised.send_signal(number)
    assert sorted(said(supervised).read().splitlines()) == ["finished 0", "finished 1"]
    assert supervised.wait() == 0


def test_a_crashed_worker_is_started_again(supervised: "subprocess.Popen[str]") -> None:
    first = running(supervised, 2)
    os.kill(first["1"], signal.SIGKILL)
    again = running(supervised, 1)
    assert again.keys() == {"1"}
    assert again["1"] != first["1"]


def test_workers_die_with_a_killed_supervisor(supervised: "subprocess.Popen[str]") -> None:
    running(supervised, 2)
    supervised.kill()
    # Its end of the pipe closes only when the last of them is gone.
    assert sorted(said(supervised).read().splitlines()) == ["finished 0", "finished 1"]


def test_a_worker_that_fails_at_its_first_start_ends_the_whole_with_its_code() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit(3)"]
    assert supervisor.run_workers(2, lambda _: command, dict(os.environ)) == 3


def test_restarts_are_further_and_further_apart_and_bounded() -> None:
    worker = supervisor._Worker(0, ["true"], {}, started=0.0)
    worker._ended(now := supervisor.STEADY_SECONDS, code=4)
    pauses = [worker.due - now]
    for _ in range(supervisor.FAILURES - 2):
        worker.started = now
        worker._ended(now, code=4)
        pauses.append(worker.due - now)
    assert pauses == supervisor.PAUSES == sorted(pauses)
    with pytest.raises(supervisor._GivenUp):
        worker._ended(now, code=4)


def test_children_are_not_started_from_a_thread_that_may_end() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(processes.spawn, ["true"]).result()
