"""Issues a class's certificates in a process of its own, which kills itself at a given command to the database.

python -m tests.faults.issuer 2026-03-16T12:00:00+08:00 INSTITUTION PROVINCE

Each line on stdin is a class, how many commands to the database are let through, and whether the process dies before the next one is sent
or once it is answered. One line of answer says how many there were, or two: in which sessions, and "killed". Each runs in a child that has
all imported and no connection yet.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import threading
from datetime import datetime

from pymongo import monitoring

from server.certificates import issue, signing
from server.certificates.render import renderer
from server.kernel import mongo
from server.kernel.clock import FixedClock
from server.kernel.encryption import Vault
from server.kernel.files import Files
from server.kernel.identity import Actor, Jurisdiction, Role
from server.kernel.mongo import connect
from server.kernel.platform import Platform
from server.kernel.rate_limits import RateLimiter
from server.settings import Settings


class Killer(monitoring.CommandListener):
    def __init__(self, let_through: int, *, answered: bool) -> None:
        self.armed = False
        self._one_at_a_time = threading.Lock()
        self._sessions: set[str] = set()
        self.seen = 0
        self._let_through = let_through
        self._answered = answered

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        with self._one_at_a_time:
            if self.armed:
                self.seen += 1
                if lsid := event.command.get("lsid"):
                    self._sessions.add(lsid["id"].hex())
                if self.seen > self._let_through and not self._answered:
                    self._kill()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        with self._one_at_a_time:
            if self.armed and self.seen > self._let_through and self._answered:
                self._kill()

    def _kill(self) -> None:
        """While nobody else sends anything."""
        say(" ".join(["sessions", *self._sessions]))
        os.kill(os.getpid(), signal.SIGKILL)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


async def work(moment: datetime, officer: Actor, class_id: str, killer: Killer) -> int:
    settings = Settings(certificate_workers=0).with_secrets()
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    platform = Platform(
        settings=settings,
        db=db,
        vault=await Vault.open(db, settings.master_key.get_secret_value()),
        clock=FixedClock(moment),
        files=Files(db),
        limiter=RateLimiter(settings.mongodb_uri, settings.mongodb_database),
        wechat=None,  # type: ignore[arg-type]  # nothing here speaks to it
    )
    killer.armed = True
    await issue.issue_certificates(platform, officer, class_id)
    await signing.sign_waiting(platform)
    return killer.seen


def in_a_child(moment: datetime, officer: Actor, class_id: str, let_through: int, *, answered: bool) -> None:
    mongo._PROCESS = secrets.token_hex(5)  # a forked process would make the ids of its brothers
    killer = Killer(let_through, answered=answered)
    monitoring.register(killer)
    seen = asyncio.run(work(moment, officer, class_id, killer))
    say(str(seen))
    os._exit(0)


def say(line: str) -> None:
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main() -> None:
    moment, institution, province = datetime.fromisoformat(sys.argv[1]), sys.argv[2], sys.argv[3]
    officer = Actor(
        "killed",
        "核发员",
        "account",
        frozenset({Role.TRAINING_BASE}),
        Jurisdiction.of_institution(institution),
        province_code=province,
        institution_code=institution,
    )
    renderer()
    say("ready")
    for line in sys.stdin:
        class_id, let_through, answered = line.split()
        child = os.fork()
        if child == 0:
            try:
                in_a_child(moment, officer, class_id, int(let_through), answered=answered == "answered")
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            say("killed")
        elif os.WEXITSTATUS(status):
            say("failed")


if __name__ == "__main__":
    main()
