"""首页: all that the first page of a phone shows, in one call."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from miniprogram_api.accounts import PersonAnswer, person_answer
from miniprogram_api.attendance import MySessionItem, my_session_item
from miniprogram_api.handler import ApiHandler, Response, TargetAnswer, operation
from server.accounts import phones
from server.accounts.phones import State
from server.kernel.identity import Role
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.progress import home
from server.progress.home import Lesson, Todo


class TodoAnswer(Response):
    kind: str
    """What is to be done: "real-name", "admission-notice", "pledge", "arrival", "check-in", "task", "survey", "guidance", "certificate",
    "hearing"; of a backbone teacher "invitation", "scheme", "applicants", "session-code", "grading", "statement"."""
    title: str
    about: str
    """The class, or what to do; empty where the title says all."""
    due_at: datetime | None
    target: TargetAnswer


class OneSession(MySessionItem):
    class_id: str
    class_name: str
    part: Literal["attending", "teaching"]
    """Whether I check in there, or show the code."""


class HomeAnswer(Response):
    server_time: datetime
    person: PersonAnswer | None
    """Null: this phone speaks for nobody yet."""
    identity: State
    roles: list[Role]
    sessions: list[OneSession]
    """Of all my classes, today in Beijing."""
    todo: list[TodoAnswer]
    """What is due first, first."""
    unread: int
    """Messages, counted to 100."""


class Home(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="My day: today's sessions of all my classes, what is to be done, and how much is unread",
        answers={200: HomeAnswer},
    )
    async def get(self) -> None:
        person = await phones.me(self.platform, self.actor)
        standing = await phones.standing(self.platform, self.actor)
        found = await home.home(self.platform, self.actor)
        to_bind = [] if standing.state is State.CONFIRMED else [_bind(phones.advice(standing))]
        self.answer(
            HomeAnswer(
                server_time=self.platform.clock.now(),
                person=person_answer(person) if person else None,
                identity=standing.state,
                roles=sorted(self.actor.roles),
                sessions=[session_answer(one) for one in found.lessons],
                todo=[*to_bind, *[_todo(one) for one in found.todo]],
                unread=found.unread,
            )
        )


def _bind(advice: str) -> TodoAnswer:
    target = TargetAnswer(kind="real-name", id="")
    return TodoAnswer(kind="real-name", title="完成实名绑定", about=advice, due_at=None, target=target)


def _todo(one: Todo) -> TodoAnswer:
    kind, its_id = one.target
    return TodoAnswer(
        kind=one.kind,
        title=one.title,
        about=one.about,
        due_at=one.due_at,
        target=TargetAnswer(kind=kind, id=its_id),
    )


def session_answer(one: Lesson) -> OneSession:
    return OneSession(
        **my_session_item(one.mine).model_dump(),
        class_id=one.training_class.id,
        class_name=one.training_class.name,
        part="teaching" if one.teaching else "attending",
    )


ROUTES: list[Route] = [(r"/api/v1/home", Home)]
