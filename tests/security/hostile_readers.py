"""What a hostile file makes of its reader: run in a process of its own, and nowhere else."""

import os

from server.kernel.errors import FileUnreadable


def never_ends() -> None:
    while True:
        pass


def eats_memory() -> int:
    return len(bytearray(8 * 2**30))


def ends_its_process() -> None:
    os._exit(9)


def is_refused() -> None:
    raise FileUnreadable("第三行看不懂。")


def is_broken() -> None:
    raise KeyError("a fault of ours")


def where() -> int:
    return os.getpid()
