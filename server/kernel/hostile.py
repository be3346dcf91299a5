"""Files of strangers are read in a process of their own, which is ended when it takes too long or too much memory.

A thread would do for files that are what they say: but nothing ends a thread, and all of them share one interpreter with every request. The
processes are forked from one that has the readers imported already, so that a sheet costs some 20 ms more than it would in a thread.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from server.kernel import leases
from server.kernel.errors import FileUnreadable, Problem, TooManyRequests, Unavailable
from server.kernel.identity import Actor
from server.kernel.platform import Platform

R = TypeVar("R")

SECONDS = 10.0
MEMORY = 2**30
"""Bytes of address space."""
AT_ONCE = 2
"""In this server process; who comes later waits. Besides, one of a stranger: strangers wait for one another, and nobody for them."""
IN_LINE = 24
"""That are read or wait in this process: were each as slow as it may be, the last would be done after two minutes."""
STRANGERS_IN_LINE = 8
HELD_FOR = timedelta(seconds=IN_LINE * SECONDS / AT_ONCE)
"""How long whoever's server died in the middle of a file cannot have another one read."""

_processes = multiprocessing.get_context("forkserver")
_waiters = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hostile-files")
_for_strangers = ThreadPoolExecutor(1, thread_name_prefix="strangers-files")
_readers: list[str] = []
_line: set[str] = set()
_strangers_line: set[str] = set()
STRANGER = "public:"


class OneFileAtATime(TooManyRequests):
    slug = "one-file-at-a-time"
    title = "上一个文件还在读取"
    default_detail = "您或本单位同事上传的另一个文件还在读取，请等它读完再传下一个。"


def reads_here(module: str) -> None:
    """Has this module imported once, before the first file comes."""
    _readers.append(module)
    _processes.set_forkserver_preload(_readers)


def whose(actor: Actor) -> str:
    """For whom a file is read: for the unit, which gives itself as many accounts as it likes; a phone is one person."""
    if actor.kind != "account":
        return actor.id
    return actor.institution_code or actor.province_code or "centre"


def stranger(address: str) -> str:
    """The same for somebody without a log-in, by the address that limits count."""
    return f"{STRANGER}{address}"


ANOTHER = "请另存为一份只含数据的新文件后重试。"


async def read_apart(platform: Platform, whom: str, read: Callable[[], R], *, otherwise: str = ANOTHER) -> R:
    """What `read` gives, or the Problem that it raises; it and its answer are pickled. One at a time for each `whose`, on all machines.
    `otherwise` says what to do about a file that takes too much.

    Raises FileUnreadable where it takes too much, OneFileAtATime, Unavailable where too many wait already.
    """
    name, holder = f"reading:{whom}", secrets.token_hex(8)
    strange = whom.startswith(STRANGER)
    line, places, readers = (
        (_strangers_line, STRANGERS_IN_LINE, _for_strangers) if strange else (_line, IN_LINE, _waiters)
    )
    if len(line) >= places:
        raise Unavailable("现在等待读取的文件太多，请稍后重新上传。", retry_after=int(SECONDS))
    line.add(holder)
    try:
        if not await leases.hold(platform, name, HELD_FOR, holder):
            raise OneFileAtATime(retry_after=int(SECONDS))
        try:
            return await asyncio.get_running_loop().run_in_executor(
                readers, _in_a_process, read, SECONDS, otherwise
            )
        finally:
            await leases.release(platform, name, holder)
    finally:
        line.remove(holder)


def _in_a_process(read: Callable[[], R], seconds: float, otherwise: str = ANOTHER) -> R:
    receiver, sender = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_read, args=(sender, read, seconds), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise FileUnreadable(f"这个文件 {seconds:.0f} 秒内没有读完。{otherwise}")
        done, found = receiver.recv()
    except (EOFError, OSError):  # the system has ended it
        done, found = False, MemoryError()
    finally:
        process.kill()
        process.join()
        receiver.close()
    if done:
        return found  # type: ignore[no-any-return]
    if isinstance(found, MemoryError):
        raise FileUnreadable(f"读取这个文件需要的内存太多。{otherwise}")
    raise found


def _read(sender: Connection, read: Callable[[], Any], seconds: float) -> None:
    os.nice(10)  # whoever waits for a check-in comes first
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(seconds) + 2, int(seconds) + 2)
    )  # should nobody be left to end it
    try:
        answer: tuple[bool, Any] = (True, read())
    except (Problem, MemoryError) as refusal:
        answer = (False, refusal)
    except Exception as error:
        answer = (False, RuntimeError(f"{type(error).__name__}: {error}"))
    sender.send(answer)
