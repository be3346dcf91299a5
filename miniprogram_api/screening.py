"""Content check of the short texts that phones publish; what is checked where: server/decisions/0007-content-checks.md."""

from __future__ import annotations

from miniprogram_api.handler import ApiHandler
from server.classes import service as classes
from server.wechat import content
from server.wechat.content import Scene, Screened, Subject


async def screen(handler: ApiHandler, *, refuse: bool = True, **texts: str) -> Screened:
    """Before the use case. Raises ContentRefused, naming the field."""
    return await content.screen(handler.platform, handler.actor, Scene.COMMENT, texts, refuse=refuse)


async def flag(
    handler: ApiHandler, screened: Screened, key: str, title: str, class_id: str | None = None
) -> None:
    """After the use case: what did not simply pass waits for a person, or to be asked about again."""
    if not screened.doubts:
        return
    found = await classes.classes_of(handler.platform, [class_id]) if class_id else {}
    subject = content.of_class(found[class_id], key, title) if class_id in found else Subject(key, title)
    await content.note_alone(handler.platform, handler.actor, screened, subject)
