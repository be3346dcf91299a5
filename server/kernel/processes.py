"""Child processes that never outlive the server (Linux).

A server that is killed with SIGKILL runs no `finally`: only the kernel can then still end what the server had started.
"""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdout: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` so that it is sent SIGTERM when this process ends, however it ends.

    The child gets a session of its own: Ctrl-C in a terminal reaches the server only, which then ends its children in its own order.
    The kernel ties the child to the *thread* that started it, so only the main thread may (`RuntimeError` otherwise).
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child that ends with its parent must be started from the main thread")
    return subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT if stdout is not None else None,
        start_new_session=True,
        preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509 - runs two system calls and takes no lock
    )


def settle_memory() -> None:
    """Call it when a server has started: what is there by now stays, so the garbage collector need not walk it again and
    again; and what requests leave behind is mostly freed without it, so it comes less often (7 % of a busy process)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def end(process: subprocess.Popen[bytes], patience: float) -> int:
    """Ask `process` to end (SIGTERM); kill it after `patience` seconds; its exit code."""
    if process.poll() is None:
        process.terminate()
    return let_end(process, patience)


def let_end(process: subprocess.Popen[bytes], patience: float) -> int:
    """Wait for `process`, which has been asked to end, and asked once only; kill it after `patience` seconds; its exit code."""
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _end_with(parent: int) -> Callable[[], None]:
    def in_the_child() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended between fork and prctl: no signal will come any more
            os._exit(1)

    return in_the_child
