"""Queries over accounts, people, bindings and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson.binary import Binary

from server.accounts.documents import (
    Account,
    AccountBatch,
    AccountFilter,
    BatchState,
    HalfSignIn,
    Moved,
    Person,
    StaffSession,
)
from server.accounts.rules import Evidence
from server.kernel.found import (
    FOUND_BY,
    LAST_DIGITS,
    found_indexes,
    looking_for,
    person_looked_for,
    set_in_found,
)
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.queries import insert_many
from server.kernel.unit_of_work import Scope

MOVED: Row = {"moved.province_code": {"$exists": True}}

COLLECTIONS = (
    CollectionSpec(
        "accounts",
        shard_key=None,
        indexes=(
            Index([("username", 1)], unique=True),
            Index([("role", 1), ("province_code", 1), ("institution_code", 1), ("username", 1)]),
            Index([(FOUND_BY, 1), ("username", 1)]),
        ),
    ),
    CollectionSpec(
        "staff_sessions",
        shard_key="_id",
        indexes=(Index([("account_id", 1)]), Index([("expires_at", 1)], expire_after_seconds=0)),
    ),
    CollectionSpec(
        "half_sign_ins",
        shard_key="_id",
        indexes=(Index([("account_id", 1)]), Index([("expires_at", 1)], expire_after_seconds=0)),
    ),
    CollectionSpec(
        "account_batches",
        shard_key=None,
        indexes=(Index([("expires_at", 1)], expire_after_seconds=0),),
    ),
    CollectionSpec(
        "persons",
        shard_key=None,
        indexes=(
            Index([("id_number", 1)], unique=True),
            *found_indexes(),
            Index([(LAST_DIGITS, 1), ("_id", -1)]),
            # Who has moved to a province: few.
            Index([("moved.province_code", 1), ("_id", -1)], partial=MOVED),
            *(
                Index([("moved.province_code", 1), (how, 1), ("_id", -1)], partial=MOVED)
                for how in (FOUND_BY, LAST_DIGITS)
            ),
        ),
    ),
)


async def account_by_username(scope: Scope, username: str) -> Account | None:
    row = await scope["accounts"].find_one({"username": username}, session=scope.session)
    return None if row is None else Account.from_mongo(row)


async def account(scope: Scope, account_id: str, reach: Row | None = None) -> Account | None:
    """`reach` is a condition on the account: which ones the actor manages."""
    row = await scope["accounts"].find_one({"_id": account_id, **(reach or {})}, session=scope.session)
    return None if row is None else Account.from_mongo(row)


async def any_account(scope: Scope, condition: Row | None = None) -> bool:
    return await scope["accounts"].find_one(condition or {}, {"_id": 1}, session=scope.session) is not None


async def accounts(
    scope: Scope, reach: Row, wanted: AccountFilter, *, after: str = "", limit: int
) -> list[Account]:
    """The accounts in `reach` that follow the username `after`, by username."""
    narrowed = looking_for(
        wanted.words, ("username", "name"), {"role": wanted.role, "left": wanted.deactivated}
    )
    conditions: list[Row] = [reach, {"username": {"$gt": after}}, narrowed]
    rows = scope["accounts"].find({"$and": conditions}, session=scope.session)
    return [Account.from_mongo(row) async for row in rows.sort("username", 1).limit(limit)]


async def accounts_called(scope: Scope, usernames: Sequence[str]) -> list[Account]:
    rows = scope["accounts"].find({"username": {"$in": list(usernames)}}, session=scope.session)
    return [Account.from_mongo(row) async for row in rows]


async def insert_account(scope: Scope, new: Account) -> None:
    await scope["accounts"].insert_one(new.to_mongo(), session=scope.session)


async def insert_accounts(scope: Scope, new: Sequence[Account]) -> None:
    """Raises DuplicateKeyError when a username is taken."""
    await insert_many(scope, "accounts", new)


async def insert_batch(scope: Scope, new: AccountBatch) -> None:
    await scope["account_batches"].insert_one(new.to_mongo(), session=scope.session)


async def batch(scope: Scope, batch_id: str, now: datetime) -> AccountBatch | None:
    lasting: Row = {"$or": [{"expires_at": None}, {"expires_at": {"$gt": now}}]}
    row = await scope["account_batches"].find_one({"_id": batch_id, **lasting}, session=scope.session)
    return None if row is None else AccountBatch.from_mongo(row)


async def confirm_batch(scope: Scope, batch_id: str, now: datetime) -> bool:
    """Once: False when somebody has confirmed it already. A confirmed batch stays."""
    done = await scope["account_batches"].update_one(
        {"_id": batch_id, "state": BatchState.PREVIEW},
        {"$set": {"state": BatchState.CONFIRMED, "confirmed_at": now, "expires_at": None}},
        session=scope.session,
    )
    return done.modified_count == 1


async def change_account(scope: Scope, account_id: str, change: Row, **condition: Any) -> bool:
    """Updates one account if it still meets the condition; whether it did."""
    done = await scope["accounts"].update_one({"_id": account_id, **condition}, change, session=scope.session)
    return done.matched_count == 1


async def use_step(scope: Scope, account_id: str, step: int) -> bool:
    """Takes a time step of the second factor, once: False when it or a later one has served already."""
    last: Row = {"second_factor.last_step": {"$lt": step}}
    return await change_account(scope, account_id, {"$set": {"second_factor.last_step": step}}, **last)


async def use_recovery_code(scope: Scope, account_id: str, code_hash: str) -> bool:
    """Takes a recovery code, once."""
    left: Row = {"second_factor.recovery": code_hash}
    return await change_account(scope, account_id, {"$pull": left}, **left)


async def change_credential(
    scope: Scope, account_id: str, change: Row, *, but: str | None = None, **condition: Any
) -> bool:
    """Changes what an account signs in with, if it still meets the condition, and ends whatever was opened with it before, except the
    session `but`; whether it did."""
    counted = {**change, "$inc": {"credential": 1, "version": 1}}
    changed = await scope["accounts"].find_one_and_update(
        {"_id": account_id, **condition}, counted, return_document=True, session=scope.session
    )
    if changed is None:
        return False
    if "deactivated_at" in change.get("$set", {}):
        left = {"deactivated_at": changed["deactivated_at"]}
        await set_in_found(scope, Account, "accounts", {"_id": account_id}, left)
    await delete_staff_sessions(scope, account_id, but=but)
    await scope["staff_sessions"].update_one(
        {"_id": but, "account_id": account_id},
        {"$set": {"credential": changed["credential"]}},
        session=scope.session,
    )
    return True


async def enter(scope: Scope, account: Account) -> bool:
    """Whether what `account` signs in with is still what it was when it was read. Nobody changes it in the same moment unseen: a change
    writes the account, and so does this."""
    same: Row = {"credential": account.credential, "deactivated_at": None}
    return await change_account(scope, account.id, {"$inc": {"version": 1}}, **same)


async def insert_staff_session(scope: Scope, new: StaffSession) -> None:
    await scope["staff_sessions"].insert_one(new.to_mongo(), session=scope.session)


async def staff_session(scope: Scope, session_id: str, now: datetime) -> StaffSession | None:
    row = await scope["staff_sessions"].find_one(
        {"_id": session_id, "expires_at": {"$gt": now}}, session=scope.session
    )
    return None if row is None else StaffSession.from_mongo(row)


async def staff_sessions(scope: Scope, account_id: str, now: datetime) -> list[StaffSession]:
    rows = scope["staff_sessions"].find(
        {"account_id": account_id, "expires_at": {"$gt": now}}, session=scope.session
    )
    return [StaffSession.from_mongo(row) async for row in rows.sort("created_at", -1)]


async def delete_staff_session(scope: Scope, account_id: str, session_id: str) -> bool:
    done = await scope["staff_sessions"].delete_one(
        {"_id": session_id, "account_id": account_id}, session=scope.session
    )
    return bool(done.deleted_count)


async def see_staff_session(scope: Scope, session_id: str, now: datetime) -> None:
    await scope["staff_sessions"].update_one({"_id": session_id}, {"$set": {"seen_at": now}})


async def insert_half_sign_in(scope: Scope, new: HalfSignIn) -> None:
    await scope["half_sign_ins"].insert_one(new.to_mongo(), session=scope.session)


async def half_sign_in(scope: Scope, half_id: str, now: datetime) -> HalfSignIn | None:
    row = await scope["half_sign_ins"].find_one(
        {"_id": half_id, "expires_at": {"$gt": now}}, session=scope.session
    )
    return None if row is None else HalfSignIn.from_mongo(row)


async def delete_half_sign_in(scope: Scope, half_id: str) -> bool:
    done = await scope["half_sign_ins"].delete_one({"_id": half_id}, session=scope.session)
    return bool(done.deleted_count)


async def delete_staff_sessions(scope: Scope, account_id: str, *, but: str | None = None) -> None:
    """Ends the account's log-ins, half ones too, except the one `but`."""
    await scope["half_sign_ins"].delete_many({"account_id": account_id}, session=scope.session)
    await scope["staff_sessions"].delete_many(
        {"account_id": account_id, "_id": {"$ne": but}}, session=scope.session
    )


async def person(scope: Scope, person_id: str) -> Person | None:
    row = await scope["persons"].find_one({"_id": person_id}, session=scope.session)
    return None if row is None else Person.from_mongo(row)


async def persons(scope: Scope, person_ids: Sequence[str]) -> dict[str, Person]:
    rows = scope["persons"].find({"_id": {"$in": list(person_ids)}}, session=scope.session)
    return {row["_id"]: Person.from_mongo(row) async for row in rows}


async def persons_found(
    scope: Scope, words: str, *, moved_to: str = "", before: str | None, limit: int
) -> list[Person]:
    """People whose identity somebody has checked, by parts of the name and the last four digits; known last first. `moved_to`: only
    those whose last move was to this province."""
    condition: Row = {"$and": [person_looked_for(words), {"evidence": {"$ne": Evidence.FORMAT_OK}}]}
    if moved_to:
        condition["moved.province_code"] = moved_to
    if before:
        condition["_id"] = {"$lt": before}
    rows = scope["persons"].find(condition, session=scope.session).sort("_id", -1).limit(limit)
    return [Person.from_mongo(row) async for row in rows]


async def persons_by_id_number(scope: Scope, id_numbers: Sequence[Binary]) -> dict[Binary, Person]:
    rows = scope["persons"].find({"id_number": {"$in": list(id_numbers)}}, session=scope.session)
    found = [Person.from_mongo(row) async for row in rows]
    return {one.id_number: one for one in found}


async def insert_persons(scope: Scope, new: Sequence[Person]) -> None:
    if new:
        await scope["persons"].insert_many([one.to_mongo() for one in new], session=scope.session)


async def touch_persons(scope: Scope, person_ids: Sequence[str]) -> None:
    await scope["persons"].update_many(
        {"_id": {"$in": list(person_ids)}}, {"$inc": {"version": 1}}, session=scope.session
    )


async def set_evidence(
    scope: Scope, person_ids: Sequence[str], evidence: str, *, instead_of: Sequence[str]
) -> None:
    await scope["persons"].update_many(
        {"_id": {"$in": list(person_ids)}, "evidence": {"$in": list(instead_of)}},
        {"$set": {"evidence": evidence}},
        session=scope.session,
    )


async def relocate(scope: Scope, person_id: str, moved: Moved) -> None:
    await scope["persons"].update_one(
        {"_id": person_id}, {"$set": {"moved": moved.model_dump(mode="json")}}, session=scope.session
    )


async def set_backbone(scope: Scope, person_id: str, backbone: bool) -> None:
    """Marks a person as in the pool or out of it, and every phone that speaks for them."""
    await scope["persons"].update_one(
        {"_id": person_id}, {"$set": {"backbone": backbone}}, session=scope.session
    )
    await scope["phone_sessions"].update_many(
        {"person_id": person_id}, {"$set": {"backbone": backbone}}, session=scope.session
    )


async def rename(scope: Scope, person_id: str, name: str) -> None:
    await set_in_found(scope, Person, "persons", {"_id": person_id}, {"name": name})
    await scope["phone_sessions"].update_many(
        {"person_id": person_id}, {"$set": {"name": name}}, session=scope.session
    )


async def set_id_number(scope: Scope, person_id: str, id_number: Binary, id_number_masked: str) -> None:
    """Raises DuplicateKeyError when it is another person's."""
    fields: Row = {"id_number": id_number, "id_number_masked": id_number_masked}
    await set_in_found(scope, Person, "persons", {"_id": person_id}, fields)


# ---- whom nobody needs any more


async def persons_older_than(scope: Scope, before: datetime, *, after: str, limit: int) -> list[str]:
    """The next ids after `after` of people outside the pool who were made before that moment."""
    condition = {"_id": {"$gt": after}, "backbone": False, "created_at": {"$lt": before}}
    rows = scope["persons"].find(condition, {"_id": 1}, session=scope.session)
    return [row["_id"] async for row in rows.sort("_id", 1).limit(limit)]


async def signed_in(scope: Scope, person_ids: Sequence[str], now: datetime) -> set[str]:
    """Those who use the mini-program: a log-in of theirs has not run out."""
    condition = {"person_id": {"$in": list(person_ids)}, "expires_at": {"$gt": now}}
    rows = scope["phone_sessions"].find(condition, {"person_id": 1}, session=scope.session)
    return {row["person_id"] async for row in rows}


async def delete_persons(scope: Scope, person_ids: Sequence[str]) -> None:
    """With their phones; never somebody who has come into the pool."""
    of_them = {"person_id": {"$in": list(person_ids)}}
    await scope["persons"].delete_many(
        {"_id": {"$in": list(person_ids)}, "backbone": False}, session=scope.session
    )
    for collection in ("bindings", "personal_codes", "phone_sessions", "waiting_phones"):
        await scope[collection].delete_many(of_them, session=scope.session)
