"""A demonstration's clock, phones and accounts: time is moved on, and a visitor is whoever takes part in it, by name.

Mounted only with `--demo`. As everything that plays a part from outside it is open to anybody who reaches the platform.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin.handler import PageHandler
from admin.handlers.accounts import SignIn
from admin.handlers.simulator import HOME, OPENID, Phones
from admin.steps import step
from server.accounts import sign_in
from server.attendance import codes
from server.demonstration import moments, password_of, people
from server.demonstration.clock import DemonstrationClock
from server.demonstration.moments import Aim, Wish
from server.kernel.clock import BEIJING
from server.kernel.errors import Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.permissions import Permission
from server.kernel.web import PlatformHandler, Route, allow, parse_json, problem_json


class MoveForm(BaseModel):
    aim: Aim
    class_id: Annotated[str, Field(title="培训班", pattern=r"^[0-9a-f]{24}$")] = ""
    to: Annotated[date | None, Field(title="日期")] = None


@step(Phones, Permission.ANYONE)
async def move(page: Phones) -> str:
    clock: DemonstrationClock = page.settings["demonstration_clock"]
    form = page.form(MoveForm)
    now = await clock.move(await moments.moment_of(page.platform, Wish(form.aim, form.class_id, form.to)))
    return f"演示时间已到 {now.astimezone(BEIJING):%Y-%m-%d %H:%M}，途中每一天到期的任务都已按日期办理。"


class Wanted(BaseModel):
    """Where a program wants the clock to be, with a time zone."""

    model_config = ConfigDict(extra="forbid")

    to: AwareDatetime


class Person(PageHandler):
    """A phone in a visitor's hand: its script logs in as that phone and asks nothing but /api/v1, as the mini-program will."""

    @allow(Permission.ANYONE)
    async def get(self, openid: str) -> None:
        name = await people.name_of(self.platform, openid)
        self.render_page("simulator/person.html", openid=openid, name=name or openid)


class StaffForm(BaseModel):
    username: Annotated[str, Field(title="账号", pattern=r"^[a-z]{1,32}$")]


@step(SignIn, Permission.ANYONE, rate="60/minute")
async def sign_in_as(page: SignIn) -> None:
    """With the demonstration's password, as if it had been typed: where it was changed, the log-in says so."""
    username = page.form(StaffForm).username
    password = password_of(page.platform, username)
    await page.enter(await sign_in.sign_in(page.platform, username, password, page.where))


class Answer(PlatformHandler):
    """For programs and scripts."""

    async def authenticate(self) -> Actor:
        return ANYBODY

    def check_xsrf_cookie(self) -> None:
        """No cookie says who this is, so none can be misused; and no form of another site sends a PUT."""

    def show_problem(self, problem: Problem) -> None:
        self.set_header("Content-Type", "application/problem+json")
        self.finish(orjson.dumps(problem_json(problem, self.request_id)))

    def answer(self, told: object) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(orjson.dumps(told, option=orjson.OPT_UTC_Z))


class Screen(Answer):
    """What the camera of a phone sees that is held before the classroom's screen: the code of this moment, null while it shows none."""

    @allow(Permission.ANYONE)
    async def get(self, class_id: str, session_id: str) -> None:
        *_, shown = await codes.code_for_screen(self.platform, moments.LOOKER, class_id, session_id)
        self.answer({"code": shown and shown.code})


class Time(Answer):
    """`GET` tells civil and machine time; `PUT {"to": …}` moves on and answers when every process follows."""

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        self._tell(self.platform.clock.now())

    @allow(Permission.ANYONE)
    async def put(self) -> None:
        clock: DemonstrationClock = self.settings["demonstration_clock"]
        self._tell(await clock.move(parse_json(Wanted, self.request.body).to))

    def _tell(self, civil: datetime) -> None:
        self.answer({"civil": civil, "machine": self.platform.machine.now()})


ROUTES: list[Route] = [
    (rf"{HOME}/move", move),
    (rf"{HOME}/time", Time),
    (rf"{HOME}/people/{OPENID}", Person),
    (rf"{HOME}/staff", sign_in_as),
    (rf"{HOME}/classes/(?P<class_id>[0-9a-f]{{24}})/sessions/(?P<session_id>[0-9a-f]{{24}})/screen", Screen),
]
