"""Structured logs: one JSON object a line on standard error, without personal data."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any

import orjson

_EXTRAS = ("request_id", "actor", "ms", "job")
_ID_NUMBER = re.compile(r"(?<![0-9])([0-9]{3})[0-9]{11,12}([0-9]{2}[0-9Xx]{2})(?![0-9Xx])")


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        for name in _EXTRAS:
            if (value := getattr(record, name, None)) is not None:
                line[name] = value
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return orjson.dumps(line).decode()


def masked(text: str) -> str:
    """The last guard: a run of digits that could be an ID number loses its middle before it reaches a log."""
    return _ID_NUMBER.sub(r"\1***\2", text)


def set_up(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # our lines do not carry them
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
