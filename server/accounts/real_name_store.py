"""Face verifications that a phone has begun, until WeChat has told how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from server.kernel.mongo import CollectionSpec, Document, Index
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "face_attempts",
        shard_key="person_id",
        indexes=(
            Index([("person_id", 1), ("verify_id", 1)]),
            Index([("begun_at", 1)], expire_after_seconds=365 * 86_400),
        ),
    ),
)


class AttemptState(StrEnum):
    BEGUN = "begun"
    PASSED = "passed"
    FAILED = "failed"


class FaceAttempt(Document):
    """`id` is the out_seq_no by which WeChat knows it. No picture and no feature of a face ever reaches the platform."""

    person_id: str
    openid: str
    verify_id: str
    name: str = ""
    """That was sent: what passed says nothing of a name that was corrected since."""
    consent_version: str
    """The separate consent to the use of the face (PIPL, article 29)."""
    begun_at: datetime
    expires_at: datetime
    state: AttemptState = AttemptState.BEGUN
    verify_ret: int | None = None
    settled_at: datetime | None = None


async def insert(scope: Scope, new: FaceAttempt) -> None:
    await scope["face_attempts"].insert_one(new.to_mongo(), session=scope.session)


async def attempt(scope: Scope, person_id: str, verify_id: str) -> FaceAttempt | None:
    row = await scope["face_attempts"].find_one(
        {"person_id": person_id, "verify_id": verify_id}, session=scope.session
    )
    return None if row is None else FaceAttempt.from_mongo(row)


async def settle(scope: Scope, attempt_id: str, state: AttemptState, verify_ret: int, at: datetime) -> None:
    await scope["face_attempts"].update_one(
        {"_id": attempt_id, "state": {"$ne": AttemptState.PASSED}},
        {"$set": {"state": state, "verify_ret": verify_ret, "settled_at": at}},
        session=scope.session,
    )


async def delete_of(scope: Scope, person_ids: Sequence[str]) -> None:
    await scope["face_attempts"].delete_many({"person_id": {"$in": list(person_ids)}}, session=scope.session)
