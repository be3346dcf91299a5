"""Queries over the phones of people: those bound, those that wait, their sessions, and personal codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson.binary import Binary

from server.accounts.documents import Binding, PersonalCode, PhoneSession, WaitingPhone
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "bindings",
        shard_key=None,
        indexes=(
            Index([("openid", 1)], unique=True, partial={"active": True}),
            Index([("person_id", 1)], unique=True, partial={"active": True}),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("openid", 1), ("_id", -1)]),
        ),
    ),
    CollectionSpec("waiting_phones", shard_key="_id", indexes=(Index([("person_id", 1)]),)),
    CollectionSpec(
        "personal_codes",
        shard_key=None,
        indexes=(
            Index([("person_id", 1), ("institution_code", 1)], unique=True),
            Index([("expires_at", 1)], expire_after_seconds=0),
        ),
    ),
    CollectionSpec(
        "phone_sessions",
        shard_key="_id",
        indexes=(
            Index([("openid", 1)]),
            Index([("person_id", 1)], partial={"person_id": {"$type": "string"}}),
            Index([("expires_at", 1)], expire_after_seconds=0),
        ),
    ),
)


# ---- bound


async def of_phone(scope: Scope, openid: str) -> Binding | None:
    return await _binding(scope, {"openid": openid, "active": True})


async def of_person(scope: Scope, person_id: str) -> Binding | None:
    return await _binding(scope, {"person_id": person_id, "active": True})


async def _binding(scope: Scope, condition: Row) -> Binding | None:
    row = await scope["bindings"].find_one(condition, session=scope.session)
    return None if row is None else Binding.from_mongo(row)


async def last_of_phone(scope: Scope, openid: str) -> Binding | None:
    """The newest binding of this phone, released or not."""
    row = await scope["bindings"].find_one({"openid": openid}, sort=[("_id", -1)], session=scope.session)
    return None if row is None else Binding.from_mongo(row)


async def of_persons(scope: Scope, person_ids: Sequence[str]) -> dict[str, Binding]:
    condition = {"person_id": {"$in": list(person_ids)}, "active": True}
    rows = scope["bindings"].find(condition, session=scope.session)
    return {row["person_id"]: Binding.from_mongo(row) async for row in rows}


async def log_in_through(scope: Scope, binding_id: str) -> None:
    """Written, so that a release in the same moment comes before or after, and not beside."""
    await scope["bindings"].update_one({"_id": binding_id}, {"$inc": {"log_ins": 1}}, session=scope.session)


async def insert(scope: Scope, new: Binding) -> None:
    """Raises DuplicateKeyError when the phone, or the person, is bound already."""
    await scope["bindings"].insert_one(new.to_mongo(), session=scope.session)


async def keep(scope: Scope, changed: Binding) -> None:
    await scope["bindings"].replace_one(
        {"_id": changed.id, "active": True}, changed.to_mongo(), session=scope.session
    )


async def release(scope: Scope, binding_id: str, at: datetime, by: str, reason: str) -> None:
    await scope["bindings"].update_one(
        {"_id": binding_id, "active": True},
        {"$set": {"active": False, "released_at": at, "released_by": by, "release_reason": reason}},
        session=scope.session,
    )


async def was_ever_bound(scope: Scope, person_id: str, *, to_another_than: str = "") -> bool:
    condition: Row = {"person_id": person_id, "openid": {"$ne": to_another_than}}
    return await scope["bindings"].find_one(condition, {"_id": 1}, session=scope.session) is not None


# ---- waiting


async def waiting_phone(scope: Scope, openid: str) -> WaitingPhone | None:
    row = await scope["waiting_phones"].find_one({"_id": openid}, session=scope.session)
    return None if row is None else WaitingPhone.from_mongo(row)


async def waiting_for(scope: Scope, person_ids: Sequence[str]) -> list[WaitingPhone]:
    condition = {"person_id": {"$in": list(person_ids)}}
    rows = scope["waiting_phones"].find(condition, session=scope.session)
    return [WaitingPhone.from_mongo(row) async for row in rows]


async def put_waiting(scope: Scope, waiting: WaitingPhone) -> None:
    row = waiting.to_mongo()
    await scope["waiting_phones"].replace_one({"_id": waiting.id}, row, upsert=True, session=scope.session)


async def delete_waiting(scope: Scope, openids: Sequence[str]) -> None:
    await scope["waiting_phones"].delete_many({"_id": {"$in": list(openids)}}, session=scope.session)


# ---- personal codes


async def put_code(scope: Scope, new: PersonalCode) -> None:
    """Instead of the one that the person had of the institution."""
    whose = {"person_id": new.person_id, "institution_code": new.institution_code}
    await scope["personal_codes"].delete_many(whose, session=scope.session)
    await scope["personal_codes"].insert_one(new.to_mongo(), session=scope.session)


async def spend_try(scope: Scope, person_id: str, now: datetime) -> list[PersonalCode]:
    """The person's codes that may still be tried, each with a try less from now on: counted before it is looked at."""
    condition: Row = {
        "person_id": person_id,
        "used_by": None,
        "expires_at": {"$gt": now},
        "tries_left": {"$gt": 0},
    }
    codes = scope["personal_codes"]
    found = [
        PersonalCode.from_mongo(row)
        async for row in codes.find(condition, session=scope.session).sort("_id", 1)
    ]
    spent = [
        await codes.find_one_and_update(
            {"_id": one.id, "tries_left": {"$gt": 0}}, {"$inc": {"tries_left": -1}}, session=scope.session
        )
        for one in found
    ]
    return [PersonalCode.from_mongo(row) for row in spent if row]


async def use_code(scope: Scope, code_id: str, openid: str) -> bool:
    """Takes a code, once; again for the phone that it has served."""
    done = await scope["personal_codes"].update_one(
        {"_id": code_id, "used_by": {"$in": [None, openid]}},
        {"$set": {"used_by": openid}},
        session=scope.session,
    )
    return bool(done.matched_count)


async def code_used_by(scope: Scope, person_id: str, code_hash: str, openid: str) -> PersonalCode | None:
    """The code of this person that has served this phone already."""
    condition = {"person_id": person_id, "code_hash": code_hash, "used_by": openid}
    row = await scope["personal_codes"].find_one(condition, session=scope.session)
    return None if row is None else PersonalCode.from_mongo(row)


async def holder_of_code(
    scope: Scope, person_ids: Sequence[str], institution_code: str, code_hash: str
) -> str | None:
    """Which of these people has this code of the institution."""
    condition: Row = {
        "person_id": {"$in": list(person_ids)},
        "institution_code": institution_code,
        "code_hash": code_hash,
    }
    row = await scope["personal_codes"].find_one(condition, {"person_id": 1}, session=scope.session)
    return str(row["person_id"]) if row else None


async def forget_codes(scope: Scope, person_id: str) -> None:
    """What a phone has shown once, it shows no more when it was released."""
    await scope["personal_codes"].delete_many({"person_id": person_id}, session=scope.session)


# ---- sessions


async def insert_phone_session(scope: Scope, new: PhoneSession) -> None:
    await scope["phone_sessions"].insert_one(new.to_mongo(), session=scope.session)


async def phone_sessions(scope: Scope, ids: Sequence[str]) -> dict[str, Row]:
    """Rows as they are, not models: every request of a phone passes here."""
    rows = await scope["phone_sessions"].find({"_id": {"$in": list(ids)}}).to_list(None)
    return {row["_id"]: row for row in rows}


async def set_speaker(scope: Scope, openid: str, speaker: Mapping[str, Any]) -> None:
    """Every session of this phone says so from now on."""
    change = {"$set": dict(speaker)}
    await scope["phone_sessions"].update_many({"openid": openid}, change, session=scope.session)


# ---- what others have vouched for


async def vouch(scope: Scope, person_id: str, entry: Row) -> None:
    """The phone of this voucher, instead of the one it gave before."""
    whose = {"_id": person_id}
    voucher = {"vouched": {"voucher": entry["voucher"]}}
    await scope["persons"].update_one(whose, {"$pull": voucher}, session=scope.session)
    await scope["persons"].update_one(whose, {"$push": {"vouched": entry}}, session=scope.session)


async def set_number(scope: Scope, person_id: str, id_number: Binary) -> None:
    """Raises DuplicateKeyError when it is another person's."""
    change = {"$set": {"id_number": id_number}}
    await scope["persons"].update_one({"_id": person_id}, change, session=scope.session)
