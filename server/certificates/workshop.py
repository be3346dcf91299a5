"""Where certificates are drawn and signed: processes beside the server, for signing holds the interpreter's lock.

They start with the first certificate, end with the server however it ends, and are made anew when one of them dies.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache

from server.certificates.render import RenderFailed, Sheet, renderer
from server.kernel import hostile
from server.kernel.platform import Platform
from server.seals.signer import Signed, SigningMaterial, sign
from server.settings import Settings

WORKERS_MOST = 4
"""Where nothing else is set: of all cores, so that a class of 30 takes a second and the machine is left to others."""
IN_HAND = 2
"""Orders for each worker at a time: while one is drawn, the next is fetched and the last is stored."""

REASON = "核发培训合格证书"
"""What readers of the PDF say the signature is for."""

hostile.reads_here(__name__)  # imported once, in the process that workers are forked from


@dataclass(frozen=True)
class Order:
    """One certificate to be made; it is pickled."""

    sheet: Sheet
    material: SigningMaterial


class WorkerDied(RenderFailed):
    slug = "certificate-worker-died"
    default_detail = "制作证书的进程意外中断。平台会再试；仍不成功请联系平台管理员。"


class Workshop:
    """`workers` processes; with none of them, a thread of the server does the work."""

    def __init__(self, workers: int) -> None:
        self.at_once = max(1, workers) * IN_HAND
        self._workers = workers
        self._pool: Executor | None = None
        self._starting = threading.Lock()
        self._alone = asyncio.Lock()

    async def make(self, order: Order) -> Signed:
        """The signed PDF. Raises RenderFailed, KeyUnusable, SealServiceFailed, or WorkerDied of an order that kills whoever works on it."""
        try:
            return await self._hand_in(order)
        except BrokenProcessPool:
            pass  # perhaps by another order: all that were in hand are lost together
        async with self._alone:
            try:
                return await self._hand_in(order)
            except BrokenProcessPool:
                raise WorkerDied() from None

    async def _hand_in(self, order: Order) -> Signed:
        pool = self._pool
        try:
            if pool is None:
                pool = await asyncio.to_thread(self._start)
            # in a thread: until there are enough workers, each order starts one, which takes a moment
            future = await asyncio.to_thread(pool.submit, make, order)
            return await asyncio.wrap_future(future)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            raise

    def _start(self) -> Executor:
        with self._starting:
            if self._pool is None:
                self._pool = (
                    ProcessPoolExecutor(
                        self._workers, multiprocessing.get_context("forkserver"), initializer=_begin
                    )
                    if self._workers
                    else ThreadPoolExecutor(1, thread_name_prefix="certificates-made")
                )
            return self._pool

    @property
    def processes(self) -> list[int]:
        """Ids of those that work now."""
        return list(getattr(self._pool, "_processes", None) or ())

    def end(self) -> None:
        """What has begun is finished, what waits is not."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def workers_of(settings: Settings) -> int:
    if settings.certificate_workers is not None:
        return settings.certificate_workers
    return min(len(os.sched_getaffinity(0)), WORKERS_MOST)


@cache
def _of_this_process(workers: int) -> Workshop:
    return Workshop(workers)


def workshop(platform: Platform) -> Workshop:
    """The one of this process."""
    return _of_this_process(workers_of(platform.settings))


# ---- in a worker


def _begin() -> None:
    os.nice(10)  # whoever waits for a page comes first
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its workers
    threading.Thread(target=_end_with_the_server, daemon=True).start()


def _end_with_the_server() -> None:
    server = multiprocessing.parent_process()
    assert server is not None
    server.join()
    os._exit(1)


def make(order: Order) -> Signed:
    drawn = renderer().render_pdf(order.sheet)
    return sign(drawn, order.material, reason=REASON, place=order.sheet.snapshot.issuer)
