"""Tasks of teachers, and classes of bases, from before an acceptance or a row alone was no work (articles 5.3, 8.4 and 9.1).

What the sessions and grades of a class say is kept with it. Of a class that was over already, and of which no session or no grade of a
teacher is known, what was counted until now stays counted: nobody loses by a rule what they did under another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from pymongo import UpdateOne

from server.kernel.clock import beijing_date
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import filled, in_batches

Days = tuple[str, str]


async def run(platform: Platform) -> AsyncIterator[int]:
    async for changed in in_batches(platform, "invitations", {"closed": {"$exists": False}}, _invitations):
        yield changed
    async for changed in in_batches(platform, "classes", {"trained_to": {"$exists": False}}, _classes):
        yield changed


async def _invitations(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    today = beijing_date(platform.clock.now()).isoformat()
    class_ids = sorted({one["class_id"] for one in found})
    released = await _released(platform, class_ids)
    sessions = {class_id: _span(days) for class_id, days in (await _sessions(platform, class_ids)).items()}
    graded = await _graded(platform, class_ids)
    changes = []
    for one in found:
        taught = one["kind"] == "TEACHING"
        known = sessions.get(one["class_id"]) if taught else graded.get((one["class_id"], one["teacher_id"]))
        counted = (one["starts_on"], one["ends_on"]) if one["ends_on"] < today else (None, None)
        first, last = (known or counted) if one["state"] == "ACCEPTED" else (None, None)
        closed = one["class_id"] in released
        changes.append(filled(one, {"work_first": first, "work_last": last, "closed": closed}))
    return changes


async def _classes(platform: Platform, found: list[Row]) -> list[UpdateOne]:
    now = platform.clock.now()
    sessions = await _sessions(platform, [one["_id"] for one in found], ended_by=now)
    changes = []
    for one in found:
        first, last = None, None
        if one.get("results_released_at"):
            first, last = _span(sessions.get(one["_id"], [])) or (one["starts_on"], one["ends_on"])
        changes.append(filled(one, {"trained_from": first, "trained_to": last}))
    return changes


async def _released(platform: Platform, class_ids: list[str]) -> set[str]:
    condition = {"_id": {"$in": class_ids}, "results_released_at": {"$type": "date"}}
    return {row["_id"] async for row in platform["classes"].find(condition, {"_id": 1})}


async def _sessions(
    platform: Platform, class_ids: list[str], ended_by: datetime | None = None
) -> dict[str, list[str]]:
    """By class the days of its sessions."""
    condition: Row = {"class_id": {"$in": class_ids}, "cancelled_at": None}
    if ended_by:
        condition["ends_at"] = {"$lte": ended_by}
    days: dict[str, list[str]] = {}
    async for row in platform["teaching_sessions"].find(condition, {"class_id": 1, "starts_at": 1}):
        days.setdefault(row["class_id"], []).append(_day(row["starts_at"]))
    return days


async def _graded(platform: Platform, class_ids: list[str]) -> Mapping[tuple[str, str], Days]:
    """By class and teacher the first and the last day of own grades."""
    days: dict[tuple[str, str], list[str]] = {}
    rows = platform["grades"].find({"class_id": {"$in": class_ids}}, {"class_id": 1, "marks": 1})
    async for row in rows:
        for mark in row["marks"]:
            days.setdefault((row["class_id"], mark["grader_id"]), []).append(_day(mark["at"]))
    return {key: span for key, found in days.items() if (span := _span(found))}


def _span(days: list[str]) -> Days | None:
    return (min(days), max(days)) if days else None


def _day(moment: datetime) -> str:
    return beijing_date(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
