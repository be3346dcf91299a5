"""The line to the database is cut at each message of a transaction in turn: a use case is done whole or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from server.applications import service as applications
from server.applications.rules import State
from server.applications.service import Approval
from server.kernel import mongo
from server.kernel.errors import Unavailable
from server.kernel.platform import Platform
from tests.faults.proxy import Wire
from tests.planning import HEBEI, applied

MESSAGES_MOST = 30
"""More than an approval sends: the last cut comes after its commit."""


@pytest.fixture
async def wire(mongodb_uri: str) -> AsyncIterator[Wire]:
    async with Wire(mongodb_uri) as wire:
        yield wire


async def test_an_approval_cut_off_at_any_message_is_whole_or_not_at_all(
    platform: Platform, mongodb_uri: str, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "PATIENCE", 0.3)
    new = await applied(platform)
    outcomes = []
    for cut_at in range(1, MESSAGES_MOST):
        wire.mend(cut_at)
        database = mongo.connect(wire.uri, platform.db.name)
        try:
            await applications.approve(
                dataclasses.replace(platform, db=database), HEBEI, new.id, Approval(seen=1)
            )
        except (PyMongoError, Unavailable):
            outcomes.append("cut off")
        else:
            outcomes.append("done")
        database.client.close()
        forget_open_transactions(mongodb_uri)
        if await whole(platform, new.id):
            break
    assert outcomes.count("cut off") >= 5, outcomes
    assert await whole(platform, new.id)


async def whole(platform: Platform, application_id: str) -> bool:
    """True when the approval and its class, audit entry and message are all there; fails when only some of them are."""
    found = await applications.get_application(platform, HEBEI, application_id)
    there = {
        found.state is State.APPROVED,
        await platform["classes"].count_documents({"application_id": application_id}) == 1,
        await platform["audit"].count_documents({"action": "applications:approve"}) == 1,
    }
    assert len(there) == 1, "a half-done transaction"
    return there == {True}


def forget_open_transactions(mongodb_uri: str) -> None:
    """What mongod does by itself a minute later."""
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client.admin.command("killAllSessions", [])
