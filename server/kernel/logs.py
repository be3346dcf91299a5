"""Structured logs: one JSON object a line on standard error, without personal data."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

_EXTRAS = ("request_id", "actor", "ms", "job")
_DOCUMENTS = re.compile(r"(?<=full error: )\{.*", re.DOTALL)
"""What PyMongo's errors say last: whole documents, with people's names in them."""
_PHONE = re.compile(r"(?<![0-9A-Za-z])(1[3-9][0-9])[0-9]{4}([0-9]{4})(?![0-9A-Za-z])")
_SEAL = re.compile(r"(?<=[0-9]-)([0-9a-f]{6})[0-9a-f]{58}(?![0-9a-f])")
"""At the end of a link, after the moment until which it lives: it opens the link for whoever reads the log. Other hashes stay: the end
of the audit chain is kept in the log on purpose."""
_SUSPECT = re.compile(r"[0-9]{11}|[0-9a-f]{64}")
"""Whatever the three others match has this in it."""
_ID_NUMBER = re.compile(r"(?<![0-9])([0-9]{3})[0-9]{11,12}([0-9]{2}[0-9Xx]{2})(?![0-9Xx])")


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        extras = {name: value for name in _EXTRAS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            extras["exception"] = masked(_DOCUMENTS.sub("…", self.formatException(record.exc_info)))
        return json_line(record.created, record.levelname, record.name, record.getMessage(), extras)


def json_line(at: float, level: str, logger: str, message: str, extras: Mapping[str, Any]) -> str:
    """One line. `at` is a POSIX time in seconds."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    line = {"at": moment, "level": level, "logger": logger, "message": masked(message), **extras}
    return orjson.dumps(line).decode()


def masked(text: str) -> str:
    """The last guard: what could be an ID number, a phone or a seal loses its middle, or its end, before it reaches a log."""
    if _SUSPECT.search(text) is None:  # as nearly always: one look instead of three
        return text
    return _SEAL.sub(r"\1…", _PHONE.sub(r"\1***\2", _ID_NUMBER.sub(r"\1***\2", text)))


class LinesTogether(logging.StreamHandler[TextIO]):
    """Writes the lines of a tenth of a second together, for a line a request is a system call a request; a warning at once."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.add(self.format(record), at_once=record.levelno >= logging.WARNING)

    def add(self, line: str, *, at_once: bool) -> None:
        self._lines.append(line)
        if at_once:
            self.flush()
        elif len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_later(0.1, self.flush)
            except RuntimeError:  # said by a thread, or before the server runs
                self.flush()

    def flush(self) -> None:
        with self.lock or contextlib.nullcontext():
            lines, self._lines = self._lines, []
            if lines:
                self.stream.write("\n".join(lines) + "\n")
            super().flush()


_lines: LinesTogether | None = None


def say(level: int, logger: str, message: str, **extras: str | float) -> None:
    """A line without a record of `logging`, which costs several times the line itself: for what is said of every request.

    Nothing is said before `set_up`."""
    if _lines is not None:
        line = json_line(time.time(), logging.getLevelName(level), logger, message, extras)
        _lines.add(line, at_once=level >= logging.WARNING)


def set_up(level: str) -> None:
    global _lines  # noqa: PLW0603 - the process has one standard error
    _lines = LinesTogether()
    _lines.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [_lines]
    root.setLevel(level)
    # What our lines do not carry is not found out for each of them either (the manual's "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    # It warns of each look that is left out while the job still runs: the page of jobs shows that.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
