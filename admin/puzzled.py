"""Forms that anybody may send, each after a puzzle, or after a wait where no script runs (macros/puzzle.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado.httputil import HTTPServerRequest

from admin.handler import Outcome, PageHandler
from server.kernel import public_questions
from server.kernel.addresses import counted_as
from server.kernel.errors import Problem
from server.kernel.public_questions import Asker
from server.kernel.puzzles import PuzzleNeeded, Ticket

NO_PUZZLE: Outcome = {"ticket": None, "level": 0}


class Puzzled(PageHandler):
    @property
    def asker(self) -> Asker:
        """Whoever sends this form, with the solved puzzle or the ticket that came along."""
        proof = self.get_body_argument("proof", "") or self.get_body_argument("ticket", "")
        return Asker(counted_as(self.request.remote_ip or ""), proof)

    async def once_more(self, problem: Problem) -> Outcome:
        """The form again, with what its next puzzle needs: its level, and a ticket to wait for whoever did not solve one."""
        outcome = self.refuse(problem) | NO_PUZZLE
        if not isinstance(problem, PuzzleNeeded):
            return outcome
        level = int(problem.extra.get("level", 0))
        ticket = None if self.get_body_argument("proof", "") else await self._ticket(problem, level)
        return outcome | {"ticket": ticket, "level": level}

    async def _ticket(self, problem: PuzzleNeeded, level: int) -> Ticket | None:
        """The one that is not ripe yet, or another."""
        if "ticket" in problem.extra:
            return Ticket(str(problem.extra["ticket"]), int(problem.extra["seconds"]))
        return await public_questions.ticket(self.platform, self.asker, level)


class PublicUpload(Puzzled):
    """The same with a file: the front door lets a stranger's body in, within the bytes that there are for one address and for all."""

    @staticmethod
    def vouched_for(request: HTTPServerRequest, settings: Mapping[str, Any]) -> bool:
        return True
