"""Content check of the short texts that phones publish; what is checked where: server/decisions/0007-content-checks.md."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec

from miniprogram_api.handler import ApiHandler
from server.classes import service as classes
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.wechat import content
from server.wechat.content import Scene, Screened, Subject

P = ParamSpec("P")
Act = Callable[Concatenate[Platform, Actor, P], Coroutine[Any, Any, object]]


async def screen(
    handler: ApiHandler, texts: Mapping[str, str], act: Act[P], *args: P.args, **kwargs: P.kwargs
) -> Screened:
    """Before the act that publishes these texts, which is rehearsed. Raises what it raises, and ContentRefused, naming the field."""
    kept = await content.kept_by(texts, act, handler.platform, handler.actor, *args, **kwargs)
    return await content.screen(handler.platform, handler.actor, Scene.COMMENT, kept)


async def hear(
    handler: ApiHandler, texts: Mapping[str, str], act: Act[P], *args: P.args, **kwargs: P.kwargs
) -> Screened:
    """The same where somebody has a right to be heard: never refused for its words."""
    kept = await content.kept_by(texts, act, handler.platform, handler.actor, *args, **kwargs)
    return await content.screen(handler.platform, handler.actor, Scene.COMMENT, kept, refuse=False)


async def flag(
    handler: ApiHandler, screened: Screened, key: str, title: str, class_id: str | None = None
) -> None:
    """After the use case: what did not simply pass waits for a person, or to be asked about again."""
    if not screened.doubts:
        return
    found = await classes.classes_of(handler.platform, [class_id]) if class_id else {}
    subject = content.of_class(found[class_id], key, title) if class_id in found else Subject(key, title)
    await content.note_alone(handler.platform, handler.actor, screened, subject)
