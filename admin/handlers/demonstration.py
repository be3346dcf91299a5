"""The clock of a demonstration: a form on the page of the simulated WeChat, and the same for a program.

Mounted only with `--demo`. As everything that plays a part from outside it is open to anybody who reaches the platform.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin.handlers.simulator import HOME, Phones
from admin.steps import step
from server.demonstration import moments
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


class Time(PlatformHandler):
    """For programs. `GET` tells civil and machine time; `PUT {"to": …}` moves on and answers when every process follows."""

    async def authenticate(self) -> Actor:
        return ANYBODY

    def check_xsrf_cookie(self) -> None:
        """No cookie says who this is, so none can be misused; and no form of another site sends a PUT."""

    def show_problem(self, problem: Problem) -> None:
        self.set_header("Content-Type", "application/problem+json")
        self.finish(orjson.dumps(problem_json(problem, self.request_id)))

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        self._tell(self.platform.clock.now())

    @allow(Permission.ANYONE)
    async def put(self) -> None:
        clock: DemonstrationClock = self.settings["demonstration_clock"]
        self._tell(await clock.move(parse_json(Wanted, self.request.body).to))

    def _tell(self, civil: datetime) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        told = {"civil": civil, "machine": self.platform.machine.now()}
        self.finish(orjson.dumps(told, option=orjson.OPT_UTC_Z))


ROUTES: list[Route] = [
    (rf"{HOME}/move", move),
    (rf"{HOME}/time", Time),
]
