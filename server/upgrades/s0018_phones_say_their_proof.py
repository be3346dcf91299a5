"""Phones of before a binding needed a proof (server/decisions/0027).

What a phone was, it stays (沿用): in the classes of the institutions whose rosters its person stands on, and everywhere for members of the
pool. Whoever had only claimed a number in an application lies apart from now on: the number is encrypted anew, at random, and the phone
waits for the card. Telephone numbers are vouched for by the institution that knew the person first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from pymongo import UpdateOne
from pymongo.errors import EncryptionError

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import in_batches


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "bindings", {"proofs": {"$exists": False}}, _bindings):
        yield changed
    async for changed in in_batches(platform, "persons", {"vouched": {"$exists": False}}, _persons):
        yield changed
    async for changed in in_batches(platform, "phone_sessions", {"own": {"$exists": False}}, _sessions):
        yield changed


async def _bindings(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    ids = [one["person_id"] for one in found]
    known = {row["_id"]: row async for row in platform["persons"].find({"_id": {"$in": ids}})}
    listed = await _institutions(platform, ids)
    changes = []
    for one in found:
        person = known.get(one["person_id"], {})
        vouchers = [{"authority": "INSTITUTION", "code": code} for code in listed.get(one["person_id"], ())]
        if person.get("backbone"):
            vouchers.append({"authority": "POOL", "code": ""})
        claimed = person.get("evidence") == "format_ok"
        proofs = [
            {"kind": "KEPT", "voucher": voucher, "at": one["bound_at"], "by": "平台"} for voucher in vouchers
        ]
        change: Row = {"proofs": [] if claimed else proofs, "phone": None, "rests_until": None}
        if one["active"] and (claimed or not proofs):
            waiting = {
                "person_id": one["person_id"],
                "consent_version": one["consent_version"],
                "since": one["bound_at"],
                "own": claimed,
            }
            await platform["waiting_phones"].replace_one({"_id": one["openid"]}, waiting, upsert=True)
            change |= {
                "active": False,
                "released_at": platform.clock.now(),
                "released_by": "平台",
                "release_reason": "身份待确认",
            }
        changes.append(UpdateOne({"_id": one["_id"]}, {"$set": change}))
    return changes


async def _institutions(platform: Platform, person_ids: list[str]) -> dict[str, list[str]]:
    """By person the institutions that have listed them, the first first."""
    rows = platform["enrolments"].find({"person_id": {"$in": person_ids}}).sort("_id", 1)
    listed: dict[str, list[str]] = {}
    async for row in rows:
        codes = listed.setdefault(row["person_id"], [])
        if row["institution_code"] not in codes:
            codes.append(row["institution_code"])
    return listed


async def _persons(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    listed = await _institutions(platform, [one["_id"] for one in found])
    changes = []
    for one in found:
        change: Row = {"vouched": []}
        codes = listed.get(one["_id"])
        if one.get("phone") is not None and codes:
            phone = await _anew(platform, one["phone"], searchable=True)
            if phone is not None:
                voucher = {"authority": "INSTITUTION", "code": codes[0]}
                change["vouched"] = [{"phone": phone, "voucher": voucher}]
        if one["evidence"] == "format_ok":
            apart = await _anew(platform, one["id_number"], searchable=False)
            if apart is not None:
                change["id_number"] = apart
        changes.append(UpdateOne({"_id": one["_id"]}, {"$set": change, "$unset": {"phone": ""}}))
    return changes


async def _anew(platform: Platform, sealed: bytes, *, searchable: bool) -> bytes | None:
    """None for what no key opens any more."""
    try:
        clear = await platform.vault.decrypt([sealed])  # type: ignore[list-item]  # a row holds what BSON gave
    except EncryptionError:
        return None
    [anew] = await (platform.vault.encrypt_searchable if searchable else platform.vault.encrypt_random)(clear)
    return anew


async def _sessions(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    openids = [one["openid"] for one in found]
    bound = {
        row["openid"]: row
        async for row in platform["bindings"].find({"openid": {"$in": openids}, "active": True})
    }
    waiting = {row["_id"]: row async for row in platform["waiting_phones"].find({"_id": {"$in": openids}})}
    changes = []
    for one in found:
        vouchers = [proof["voucher"] for proof in bound.get(one["openid"], {}).get("proofs", ())]
        change = {
            "everywhere": any(voucher["authority"] != "INSTITUTION" for voucher in vouchers),
            "institutions": sorted(v["code"] for v in vouchers if v["authority"] == "INSTITUTION"),
            "own": bool(vouchers) or waiting.get(one["openid"], {}).get("own", False),
            "rests_until": None,
        }
        changes.append(UpdateOne({"_id": one["_id"]}, {"$set": change}))
    return changes
