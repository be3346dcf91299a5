"""Queries over what sending messages needs: grants of phones, templates of WeChat, and whether WeChat is in trouble."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from server.kernel.mongo import CollectionSpec, Document, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec("message_grants", shard_key="_id", indexes=(Index([("openid", 1)]),)),
    CollectionSpec(
        "message_grant_reports",
        shard_key="_id",
        indexes=(Index([("at", 1)], expire_after_seconds=7 * 86_400),),
    ),
    CollectionSpec(
        "message_templates", shard_key=None, indexes=(Index([("kind", 1), ("version", 1)], unique=True),)
    ),
    CollectionSpec("message_pauses", shard_key=None),
)

HELD_MOST = 50
"""Messages remembered as holding a grant: enough for all that are under way to one phone."""


# ---- grants: what one phone has agreed to, by template


def _grant_id(openid: str, template_id: str) -> str:
    return f"{openid}/{template_id}"


async def note_report(scope: Scope, openid: str, nonce: str, at: datetime) -> None:
    """Raises DuplicateKeyError for a report that was noted before."""
    await scope["message_grant_reports"].insert_one(
        {"_id": f"{openid}/{nonce}", "at": at}, session=scope.session
    )


async def reported(scope: Scope, openid: str, nonce: str) -> bool:
    condition = {"_id": f"{openid}/{nonce}"}
    return await scope["message_grant_reports"].find_one(condition, session=scope.session) is not None


async def add_grant(scope: Scope, openid: str, template_id: str) -> None:
    await scope["message_grants"].update_one(
        {"_id": _grant_id(openid, template_id)},
        {"$inc": {"left": 1}, "$setOnInsert": {"openid": openid, "template_id": template_id, "held": []}},
        upsert=True,
        session=scope.session,
    )


async def clear_grants(scope: Scope, openid: str, template_id: str) -> None:
    """WeChat has said that there are none."""
    await scope["message_grants"].update_one(
        {"_id": _grant_id(openid, template_id)}, {"$set": {"left": 0, "held": []}}, session=scope.session
    )


async def grants(scope: Scope, openid: str) -> dict[str, int]:
    """Template → messages that may still be sent to this phone."""
    rows = scope["message_grants"].find({"openid": openid}, session=scope.session)
    return {row["template_id"]: row["left"] async for row in rows}


async def hold_grant(scope: Scope, openid: str, template_id: str, message_id: str) -> bool:
    """Sets one grant aside for a message; the same again for a message that holds one. False when there is none."""
    where = {"_id": _grant_id(openid, template_id)}
    taken = await scope["message_grants"].update_one(
        {**where, "left": {"$gt": 0}, "held": {"$ne": message_id}},
        {"$inc": {"left": -1}, "$push": {"held": {"$each": [message_id], "$slice": -HELD_MOST}}},
    )
    if taken.modified_count:
        return True
    return await scope["message_grants"].find_one({**where, "held": message_id}) is not None


async def use_grant(scope: Scope, openid: str, template_id: str, message_id: str) -> None:
    await scope["message_grants"].update_one(
        {"_id": _grant_id(openid, template_id)}, {"$pull": {"held": message_id}}
    )


async def give_grant_back(scope: Scope, openid: str, template_id: str, message_id: str) -> None:
    """The message was surely not sent, and will not be."""
    await scope["message_grants"].update_one(
        {"_id": _grant_id(openid, template_id), "held": message_id},
        {"$pull": {"held": message_id}, "$inc": {"left": 1}},
    )


# ---- templates: versioned and effective-dated, as policies are


class TemplateVersion(Document):
    """Which template of WeChat a kind of message uses from a day on. Never changed: a newer version supersedes it."""

    kind: str
    version: int
    template_id: str
    """Empty: this kind is not sent through WeChat."""
    keys: list[str]
    """The template's keys, in the order of the fields of the kind."""
    effective_from: date
    reason: str
    set_by: str
    set_at: datetime


async def insert_template(scope: Scope, new: TemplateVersion) -> None:
    await scope["message_templates"].insert_one(new.to_mongo(), session=scope.session)


async def template_versions(scope: Scope, kind: str = "") -> list[TemplateVersion]:
    """Every version ever set, of one kind or of all, newest first; a few a year."""
    condition: Row = {"kind": kind} if kind else {}
    rows = scope["message_templates"].find(condition, session=scope.session)
    return [TemplateVersion.from_mongo(row) async for row in rows.sort([("set_at", -1), ("_id", -1)])]


async def templates_on(scope: Scope, day: date) -> Mapping[str, TemplateVersion]:
    """Kind → the version in force on `day`, of the kinds that have one."""
    rows = scope["message_templates"].find({"effective_from": {"$lte": day.isoformat()}})
    found: dict[str, TemplateVersion] = {}
    async for row in rows.sort([("effective_from", 1), ("version", 1)]):
        found[row["kind"]] = TemplateVersion.from_mongo(row)
    return found


# ---- WeChat in trouble: then nothing is sent for a while, by any sender


class Pause(Document):
    """Nothing is sent before `until`; `failures`: runs in a row that met a failing WeChat."""

    until: datetime
    failures: int
    reason: str
    errcode: int | None = None


WECHAT = "wechat"


async def pause(scope: Scope) -> Pause | None:
    row = await scope["message_pauses"].find_one({"_id": WECHAT})
    return None if row is None else Pause.from_mongo(row)


async def set_pause(scope: Scope, new: Pause) -> None:
    await scope["message_pauses"].replace_one({"_id": WECHAT}, new.to_mongo(), upsert=True)


async def end_pause(scope: Scope) -> None:
    await scope["message_pauses"].delete_one({"_id": WECHAT})
