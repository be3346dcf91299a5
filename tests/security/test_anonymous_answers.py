"""Anonymous means anonymous: whoever has the database, its replication log and the logs ties no answer to a name better than chance."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bson
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.kernel import envelopes
from server.kernel.envelopes import BoxLocked
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.surveys import service as surveys
from server.surveys import store, unsealing
from server.surveys.documents import Survey
from server.surveys.rules import SETTLING
from server.wechat.simulator import Simulator
from tests import stage
from tests.surveying import answers_to, clock_of, let_it_end, open_survey

ANSWERS = 200
LUCK = 12
"""How many of two hundred somebody who guesses hits: one on average; so many only once in a thousand million runs."""

Guess = Mapping[str, str]
"""By person id the remark that they are said to have made."""


async def replication_log(platform: Platform, survey: Survey) -> list[Row]:
    """What a transaction wrote stands in it side by side, in the order of writing; here, what concerns this survey."""
    written: list[Row] = []
    names = {f"{platform.db.name}.{name}" for name in ("survey_respondents", "survey_responses", "envelopes")}
    log = platform.db.client["local"]["oplog.rs"].find({"op": {"$in": ["i", "c"]}}).sort("$natural", 1)
    async for entry in log:
        parts = [
            part
            for part in entry["o"].get("applyOps", [entry])
            if survey.id in str(part["o"]) or survey.box_id == part["o"].get("box")
        ]
        written += [
            part | {"at": entry["ts"]} for part in parts if part.get("ns") in names and part["op"] == "i"
        ]
    return written


def remark_in(row: Row) -> str:
    return next((str(one) for one in row.get("answers", {}).values() if isinstance(one, str)), "")


def by_order(people: Sequence[str], remarks: Sequence[str]) -> Guess:
    return dict(zip(people, remarks, strict=False))


def attacks(rows: Mapping[str, list[Row]], log: Sequence[Row]) -> dict[str, Guess]:
    """Every order that somebody could find in what they have, set against every other."""
    marked = [one["o"]["_id"].partition(":")[2] for one in log if one["ns"].endswith("respondents")]
    said = [remark_in(one["o"]) for one in log if one["ns"].endswith("responses")]
    shut = [one["o"]["_id"] for one in log if one["ns"].endswith("envelopes")]
    stored = [remark_in(row) for row in rows["survey_responses"]]
    by_id = [remark_in(row) for row in sorted(rows["survey_responses"], key=lambda row: row["_id"])]
    people_by_id = sorted(marked)
    people_by_envelope = [who for _, who in sorted(zip(shut, marked, strict=False))]
    orders = {"arrival": marked, "person": people_by_id, "envelope": people_by_envelope}
    lists = {"logged": said, "stored": stored, "response": by_id, "backwards": said[::-1]}
    return {f"{a}/{b}": by_order(orders[a], lists[b]) for a in orders for b in lists}


def hits(guess: Guess, truth: Guess) -> int:
    return sum(truth.get(who) == remark for who, remark in guess.items())


async def everything(platform: Platform) -> dict[str, list[Row]]:
    return {
        name: await platform[name].find({}).to_list(None)
        for name in await platform.db.list_collection_names()
    }


@pytest.fixture
async def truth(platform: Platform, wechat: Simulator) -> Guess:
    """Two hundred trainees have answered, each in words of their own; who said what is known to this test alone."""
    opened = await stage.class_in_session(platform, wechat, trainees=ANSWERS)
    survey = await open_survey(platform, opened)
    said: dict[str, str] = {}
    for turn, phone in enumerate(opened.trainees):
        remark = "很好。" * (turn % 7) + f"第{turn:03}条意见"
        answers = answers_to(survey, 1 + turn % 3, remark=remark)
        assert await surveys.answer_survey(platform, phone.actor, survey.id, answers)
        said[phone.actor.id] = remark
    return said


async def survey_there_is(platform: Platform) -> Survey:
    row = await platform["surveys"].find_one({})
    assert row is not None
    return Survey.from_mongo(row)


async def test_nobody_ties_an_answer_to_a_name_better_than_chance(
    platform: Platform, truth: Guess, caplog: pytest.LogCaptureFixture
) -> None:
    survey = await survey_there_is(platform)
    before = await everything(platform)
    assert len({len(row["envelope"]) for row in before["envelopes"]}) == 1
    assert not any(
        remark.encode() in bson.encode({"rows": rows})
        for rows in before.values()
        for remark in truth.values()
    )
    key = X25519PrivateKey.from_private_bytes(_key_file(platform, survey).read_bytes())

    with caplog.at_level(logging.DEBUG):
        await let_it_end(platform, survey)
    after = await everything(platform)
    log = await replication_log(platform, survey)
    assert sorted(remark_in(row) for row in after["survey_responses"]) == sorted(truth.values())
    assert after["envelopes"] == []
    tried = attacks(after, log)
    assert len(tried) == 12 and all(len(guess) == ANSWERS for guess in tried.values())
    assert {name: found for name, guess in tried.items() if (found := hits(guess, truth)) > LUCK} == {}
    assert not re.search("条意见", caplog.text)

    # The attack is a real one: with the key, which is gone, the log of the database would tell everything.
    assert not _key_file(platform, survey).exists()
    posted = {one["at"]: one["o"]["envelope"] for one in log if one["ns"].endswith("envelopes")}
    marked = {
        one["at"]: one["o"]["_id"].partition(":")[2] for one in log if one["ns"].endswith("respondents")
    }
    opened = {marked[at]: _remark(envelopes._open(key, shut)) for at, shut in posted.items()}
    assert hits(opened, truth) == ANSWERS


def _key_file(platform: Platform, survey: Survey) -> Any:
    assert survey.box_id is not None
    return platform.settings.data_dir / "envelope-keys" / survey.box_id


def _remark(content: bytes) -> str:
    return remark_in({"answers": orjson.loads(content)})


@pytest.mark.parametrize("step", ["_unseal", "destroy_key", "_note_destroyed"])
async def test_whoever_dies_while_a_survey_is_unsealed_leaves_it_to_the_next(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    for phone in opened.trainees:
        await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey))
    clock_of(platform).set(survey.closes_at)
    clock_of(platform).advance(SETTLING)

    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(envelopes if step == "destroy_key" else unsealing, step, killed)
        with pytest.raises(RuntimeError):
            await unsealing.unseal_due(platform)
    assert await unsealing.unseal_due(platform) == []
    assert await platform["survey_responses"].count_documents({}) == 5
    assert not _key_file(platform, survey).exists()
    assert (await survey_there_is(platform)).box_id is None
    trail = [one["action"] async for one in platform["audit"].find({"subject": survey.id})]
    assert trail.count("surveys:unseal") == trail.count("surveys:destroy-key") == 1


async def test_what_nobody_may_read_is_never_opened(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the smallest group the envelopes go as they are, and the key with them."""
    opened = await stage.class_in_session(platform, wechat, trainees=4)
    survey = await open_survey(platform, opened)
    for phone in opened.trainees:
        await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey))
    refuse: Callable[..., Any] = pytest.fail
    monkeypatch.setattr(envelopes, "_open", refuse)
    await let_it_end(platform, survey)
    assert await platform["envelopes"].count_documents({}) == 0
    assert await platform["survey_responses"].count_documents({}) == 0
    assert not _key_file(platform, survey).exists()
    assert await store.count_respondents(platform, survey.id) == 4


async def test_a_lost_key_is_said_and_holds_up_no_other_survey(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    for phone in opened.trainees:
        await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey))
    kept = _key_file(platform, survey).read_bytes()
    _key_file(platform, survey).unlink()
    clock_of(platform).set(survey.closes_at)
    clock_of(platform).advance(SETTLING)
    [problem] = await unsealing.unseal_due(platform)
    assert isinstance(problem, BoxLocked)
    assert await platform["envelopes"].count_documents({}) == 5
    _key_file(platform, survey).write_bytes(kept)
    assert await unsealing.unseal_due(platform) == []
    assert await platform["survey_responses"].count_documents({}) == 5
