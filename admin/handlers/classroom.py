"""The screen of a classroom: the code to scan, asked for at each step, and who is in, pushed over a WebSocket."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import orjson
import segno
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from admin.handler import PageHandler
from server.attendance import codes, rolls
from server.attendance import service as attendance
from server.attendance.documents import TeachingSession
from server.attendance.live import LiveRolls
from server.attendance.rolls import Roll
from server.classes import service as classes
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow, problem_json

BEAT_SECONDS = 3
"""The board takes its line for dead when it hears nothing for 8 s (classroom.js)."""
LOGIN_CHECKED_BEATS = 10
SIGNED_OUT = 4401
"""Closes a board whose login is over: the browser need not try again."""
FAULT = 1011


def _heard(sent: asyncio.Future[None]) -> None:
    """Takes note of a board that went away meanwhile: its browser comes back by itself and gets the whole roll."""
    if not sent.cancelled():
        sent.exception()


class Classroom(PageHandler):
    @allow(Permission.ATTENDANCE_SHOW_CODE)
    async def get(self, class_id: str, session_id: str) -> None:
        roll = await rolls.roll(self.platform, self.actor, class_id, session_id)
        self.render_page(
            "attendance/classroom.html",
            training_class=await classes.get_class(self.platform, self.actor, class_id),
            session=roll.session,
            board=orjson.dumps(rolls.board_of(roll)).decode(),
        )


class ClassroomCode(PageHandler):
    """The code of this moment, asked for at each step; problems come as JSON, for a script reads them."""

    def show_problem(self, problem: Problem) -> None:
        self.answer(problem_json(problem, self.request_id))

    def answer(self, content: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps(content))

    @allow(Permission.ATTENDANCE_SHOW_CODE)
    async def get(self, class_id: str, session_id: str) -> None:
        session, window, code = await codes.code_for_screen(self.platform, self.actor, class_id, session_id)
        self.answer(
            {
                "window": window,
                "now": self.platform.clock.now(),
                "opens_at": session.opens_at,
                "late_after": session.late_after,
                "closes_at": session.closes_at,
                "step": session.code_step_seconds,
                "code": code.code if code else None,
                "image": qr_image(code.code) if code else None,
                "expires_at": code.expires_at if code else None,
                "next_in": code.next_in if code else None,
            }
        )


def qr_image(text: str) -> str:
    """A QR code as a data URI: as few and as large modules as the text allows, for it is read across a room."""
    code = segno.make_qr(text, error="m", boost_error=False)
    return str(code.svg_data_uri(border=4, omitsize=True, light="#fff"))


class ClassroomLive(PageHandler, WebSocketHandler):
    """Pushes the roll, whole, on connecting and after each change. What the browser says is not listened to."""

    session: TeachingSession
    watch: asyncio.Task[None] | None = None

    @property
    def rolls(self) -> LiveRolls:
        rolls: LiveRolls = self.settings["live_rolls"]
        return rolls

    @allow(Permission.ATTENDANCE_SHOW_CODE)
    async def get(self, class_id: str, session_id: str) -> None:
        self.session = await attendance.session_in_reach(self.platform, self.actor, class_id, session_id)
        await super().get()

    def open(self) -> None:
        self.rolls.join(self.session, self.show_roll)
        self.watch = asyncio.get_running_loop().create_task(self.beat_until_signed_out())

    def show_roll(self, roll: Roll) -> None:
        self.say(orjson.dumps(rolls.board_of(roll)).decode())

    def say(self, words: str) -> None:
        try:
            sent = self.write_message(words)
        except WebSocketClosedError:
            return
        sent.add_done_callback(_heard)

    async def beat_until_signed_out(self) -> None:
        """An empty word now and then: a line may die without either end being told."""
        reason, beats = FAULT, itertools.count(1)
        try:
            while reason != SIGNED_OUT:
                await asyncio.sleep(BEAT_SECONDS)
                self.say("")
                if next(beats) % LOGIN_CHECKED_BEATS:
                    continue
                if not holds(await self.authenticate(), Permission.ATTENDANCE_SHOW_CODE):
                    reason = SIGNED_OUT
        finally:
            self.close(reason)

    def on_message(self, message: str | bytes) -> None:
        pass

    def on_close(self) -> None:
        self.rolls.leave(self.session, self.show_roll)
        if self.watch is not None:
            self.watch.cancel()


_CLASSROOM = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/sessions/(?P<session_id>[0-9a-f]{24})/classroom"
ROUTES: list[Route] = [
    (_CLASSROOM, Classroom),
    (rf"{_CLASSROOM}/code", ClassroomCode),
    (rf"{_CLASSROOM}/live", ClassroomLive),
]
