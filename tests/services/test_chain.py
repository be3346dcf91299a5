"""The chain of the audit trail: whoever owns the database alone can change nothing in it that does not show (article 25 (4))."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from operator import itemgetter
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from pymongo.errors import DuplicateKeyError
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from server.audit_words import tell
from server.kernel import audit, chain, leases
from server.kernel.anchor import AnchorFile, Head, anchor_of
from server.kernel.chain import ChainBroken
from server.kernel.identity import system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.upgrades import s0014_trail_is_sealed_with_a_key as keyed


@transactional
async def do_something(unit: UnitOfWork, number: int) -> None:
    unit.audit("tests:do", f"subject-{number}", number=number)


async def entries(platform: Platform, count: int) -> None:
    for number in range(count):
        await do_something(platform, system("tests"), number)
    await chain.seal(platform)


async def at(platform: Platform, position: int, **fields: Any) -> None:
    """Changes the entry at a position as somebody with the database in hand would."""
    await platform["audit"].update_one({"position": position}, {"$set": fields})


def anchor_file(platform: Platform) -> AnchorFile:
    anchor = anchor_of(platform.settings)
    assert isinstance(anchor, AnchorFile)
    return anchor


@pytest.fixture(autouse=True)
async def _ten(platform: Platform) -> None:
    """The trail of a fresh platform has entries of its own; ten in two heads instead."""
    await platform["audit"].delete_many({})
    await entries(platform, 6)
    await entries(platform, 4)


async def found(platform: Platform) -> str:
    """What the nightly check finds; the page of the chain finds the same."""
    with pytest.raises(ChainBroken) as raised:
        await chain.check(platform)
    assert (await chain.state(platform)).broken == raised.value.detail
    assert (await chain.follow(platform))[1] == raised.value.detail
    return str(raised.value.detail)


async def test_a_whole_chain_is_read_whole_each_time(platform: Platform) -> None:
    for _ in range(2):
        assert await chain.check(platform) == {"校验": 10}
    state = await chain.state(platform)
    assert (state.entries, state.broken, state.anchored) == (10, "", 10)
    assert await chain.end_in_doubt(platform) == ""
    assert await chain.doubtful(platform, await audit.recent(platform, before=None, limit=4)) == frozenset()


# ---- what somebody with the database alone may do


async def rewrite(
    platform: Platform, first: int, seal: Callable[[Row, int, str], str], mark: Callable[[Row], str]
) -> None:
    """Changes an entry and links all later ones anew, as somebody would who knows the program."""
    await at(platform, first, actor_name="别人")
    before = await platform["audit"].find_one({"position": first - 1})
    previous = before["seal"] if before else chain.GENESIS
    async for entry in platform["audit"].find({"position": {"$gte": first}}).sort("position", 1):
        previous = seal(entry, entry["position"], previous)
        await at(platform, entry["position"], seal=previous, mark=mark(entry))


def without_the_key(entry: Row, position: int, previous: str) -> str:
    said = {name: entry[name] for name in audit.SAID}
    return hashlib.sha256(orjson.dumps([position, previous, said], option=orjson.OPT_UTC_Z)).hexdigest()


async def test_a_changed_entry_is_found_by_the_check_and_where_it_is_shown(platform: Platform) -> None:
    await at(platform, 2, facts={"number": 99})
    assert "第 2 条断开" in await found(platform)
    shown = await audit.recent(platform, before=None, limit=10)
    assert await chain.doubtful(platform, shown) == {
        entry["_id"] for entry in shown if entry["position"] == 2
    }


@pytest.mark.parametrize("field", ["position", "seal", "at", "facts"])
async def test_nonsense_in_the_place_of_a_field_is_found_too(platform: Platform, field: str) -> None:
    await platform["audit"].update_one({"position": 4}, {"$set": {field: {"x": [b"\0"]}}})
    with pytest.raises(ChainBroken):
        await chain.check(platform)


async def test_a_missing_field_is_found_too(platform: Platform) -> None:
    await platform["audit"].update_one({"position": 4}, {"$unset": {"actor_name": ""}})
    assert "第 4 条断开" in await found(platform)


async def test_an_entry_taken_out_of_the_middle_is_found_and_the_next_one_is_in_doubt(
    platform: Platform,
) -> None:
    await platform["audit"].delete_one({"position": 7})
    assert "第 7 条断开" in await found(platform)
    shown = await audit.recent(platform, before=None, limit=10)
    assert {one["position"] for one in shown if one["_id"] in await chain.doubtful(platform, shown)} == {8}


@pytest.mark.parametrize("newest", [1, 3, 10])
async def test_entries_cut_off_at_the_end_are_found_at_once(platform: Platform, newest: int) -> None:
    await platform["audit"].delete_many({"position": {"$gt": 10 - newest}})
    assert "末尾缺失：锚点记到第 10 条" in await found(platform)
    assert "末尾缺失" in await chain.end_in_doubt(platform)


async def test_new_entries_in_the_place_of_those_that_were_cut_off_are_found(platform: Platform) -> None:
    await platform["audit"].delete_many({"position": {"$gt": 8}})
    await entries(platform, 5)
    assert "第 10 条与锚点记下的不同" in await found(platform)


async def test_all_later_entries_rewritten_are_found(platform: Platform) -> None:
    await rewrite(platform, 5, without_the_key, itemgetter("mark"))
    assert "第 5 条断开" in await found(platform)
    assert "第 10 条与锚点记下的不同" in await chain.end_in_doubt(platform)


async def test_entries_that_are_taken_back_out_of_the_chain_and_sealed_again_are_found(
    platform: Platform,
) -> None:
    """The sealer has the key, and seals what lies there: the anchor remembers what lay there before."""
    again = {"$set": {"sealed": False, "actor_name": "别人"}, "$unset": {"position": "", "seal": ""}}
    await platform["audit"].update_many({"position": {"$gt": 8}}, again)
    await chain.seal(platform)
    assert "第 9 条断开" in await found(platform)


async def test_an_entry_that_is_taken_out_of_the_chain_and_away_is_missed(platform: Platform) -> None:
    await platform["audit"].delete_one({"position": 9})
    again = {"$set": {"sealed": False}, "$unset": {"position": "", "seal": ""}}
    await platform["audit"].update_many({"position": {"$gt": 8}}, again)
    await entries(platform, 1)
    assert "第 10 条与锚点记下的不同" in await found(platform)


async def test_an_entry_that_somebody_else_put_there_is_found_wherever_it_is_dated(
    platform: Platform,
) -> None:
    """The sealer has the key and links whatever lies there: what the platform writes carries a mark of its own."""
    newest = await _entry(platform, 10)
    early = timedelta(days=90)
    forged = {name: newest[name] for name in audit.SAID} | {"_id": "0" * 24, "action": "assessment:release"}
    forged |= {"at": newest["at"] - early, "sealed": False, "mark": newest["mark"]}
    await platform["audit"].insert_one(forged)
    shown = [await platform["audit"].find_one({"_id": "0" * 24})]
    assert await chain.doubtful(platform, [one for one in shown if one]) == {"0" * 24}
    await chain.seal(platform)
    assert "第 11 条断开" in await found(platform)


async def test_an_entry_changed_before_it_is_in_the_chain_is_found(platform: Platform) -> None:
    await do_something(platform, system("tests"), 1)
    changed = await platform["audit"].find_one_and_update({"sealed": False}, {"$set": {"actor_name": "别人"}})
    assert await chain.doubtful(platform, await audit.recent(platform, before=None, limit=1)) == {
        changed["_id"]
    }
    await chain.seal(platform)
    assert "第 11 条断开" in await found(platform)


@pytest.mark.parametrize("sealed", [0, None, "", [], {}, "True", "absent"])
async def test_an_odd_sign_of_being_in_the_chain_hides_nothing_and_breaks_no_page(
    platform: Platform, sealed: object
) -> None:
    change = {"$unset": {"sealed": ""}} if sealed == "absent" else {"$set": {"sealed": sealed}}
    await do_something(platform, system("tests"), 1)
    await platform["audit"].update_one({"sealed": False}, change)
    shown = await audit.recent(platform, before=None, limit=3)
    assert await chain.doubtful(platform, shown) == {shown[0]["_id"]}
    assert [one.sealed for one in await tell(platform, shown)] == [False, True, True]
    assert "入链标记被改动过" in await found(platform)


async def test_nobody_keeps_the_sealer_away_by_a_lease_that_does_not_end(platform: Platform) -> None:
    await do_something(platform, system("tests"), 1)
    for_ever = {"holder": "somebody", "until": platform.machine.now() + timedelta(days=3650)}
    await platform["leases"].update_one({"_id": "audit-sealer"}, {"$set": for_ever}, upsert=True)
    assert await chain.seal(platform) == 1


async def test_an_entry_that_waits_too_long_is_said_on_the_page_and_by_the_check(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await do_something(platform, system("tests"), 1)
    assert await chain.end_in_doubt(platform) == ""
    monkeypatch.setattr(chain, "OVERDUE", timedelta(0))
    assert "没有入链" in await chain.end_in_doubt(platform)
    assert "没有入链" in await found(platform)


# ---- what somebody may do who has the key as well


async def test_a_chain_rewritten_with_the_key_still_contradicts_the_anchor(platform: Platform) -> None:
    await rewrite(platform, 5, partial(chain.seal_of, platform), partial(audit.mark_of, platform))
    assert "第 6 条与锚点记下的不同" in await found(platform)
    assert await chain.end_in_doubt(platform) != ""


async def test_another_key_fits_nothing(platform: Platform) -> None:
    platform.settings.trail_secret = SecretStr("another")
    assert "第 1 条断开" in await found(platform)


# ---- the anchor


async def test_the_anchor_holds_heads_only_and_nothing_of_what_was_done(platform: Platform) -> None:
    lines = anchor_file(platform).path.read_text().splitlines()
    assert [orjson.loads(line)["position"] for line in lines] == [6, 10]
    assert orjson.loads(lines[0]).keys() == {"chain", "position", "seal", "at"}
    assert anchor_file(platform).path.stat().st_mode & 0o077 == 0


async def test_a_head_goes_to_the_log_at_once(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="platform.audit"):
        await entries(platform, 1)
    head = await anchor_file(platform).newest()
    assert head is not None and f"entry 11, seal {head.seal}" in caplog.text


async def test_an_anchor_that_could_not_be_written_is_caught_up(platform: Platform) -> None:
    file = anchor_file(platform).path
    kept = file.read_bytes()
    file.unlink()
    file.mkdir()  # nobody, not even root, appends to a folder
    await entries(platform, 3)
    assert (await chain.state(platform)).anchored == 10
    file.rmdir()
    file.write_bytes(kept)
    await chain.seal(platform)
    assert await anchor_file(platform).newest() == Head(13, (await _entry(platform, 13))["seal"])
    assert await chain.check(platform) == {"校验": 13}


async def _entry(platform: Platform, position: int) -> Row:
    row: Row | None = await platform["audit"].find_one({"position": position})
    assert row is not None
    return row


async def test_a_line_cut_off_by_a_stop_is_passed_over(platform: Platform) -> None:
    file = anchor_file(platform).path
    file.write_bytes(file.read_bytes() + b'{"chain":"audit","posit')
    await entries(platform, 2)
    assert await chain.check(platform) == {"校验": 12}
    assert (await anchor_file(platform).newest()) == Head(12, (await _entry(platform, 12))["seal"])


async def test_heads_of_two_machines_may_stand_in_the_other_order(platform: Platform) -> None:
    file = anchor_file(platform).path
    file.write_bytes(b"".join(reversed(file.read_bytes().splitlines(keepends=True))))
    assert await chain.check(platform) == {"校验": 10}


@pytest.mark.parametrize("left", [0, 1])
async def test_an_anchor_that_was_emptied_or_cut_is_missed(platform: Platform, left: int) -> None:
    file = anchor_file(platform).path
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:left]))
    assert "曾记到第 10 条" in await found(platform)


async def test_a_position_is_given_once(platform: Platform) -> None:
    with pytest.raises(DuplicateKeyError):
        await platform["audit"].insert_one({"_id": "forged", "sealed": True, "position": 10})


async def test_two_sealers_at_once_make_one_chain(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when one of them has not noticed that its lease ran out."""

    async def hold(*_: object) -> bool:
        return True

    monkeypatch.setattr(leases, "hold", hold)
    for number in range(12):
        await do_something(platform, system("tests"), number)
    assert sorted(await asyncio.gather(*(chain.seal(platform) for _ in range(4)))) == [0, 0, 0, 12]
    assert await chain.check(platform) == {"校验": 22}


# ---- an anchor at an address


@pytest.fixture
async def archive(platform: Platform) -> AsyncIterator[bytearray]:
    """A fictional archive of another office: it keeps each line that it is sent."""
    kept = bytearray()

    class Archive(RequestHandler):
        def post(self) -> None:
            kept.extend(self.request.body)

        def get(self) -> None:
            self.write(bytes(kept))

    server = HTTPServer(Application([(r"/audit", Archive)]))
    [socket] = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    platform.settings.audit_anchor = f"http://127.0.0.1:{socket.getsockname()[1]}/audit"
    yield kept
    server.stop()
    await server.close_all_connections()


async def test_an_anchor_may_be_an_address(platform: Platform, archive: bytearray) -> None:
    await entries(platform, 2)
    assert [orjson.loads(line)["position"] for line in archive.splitlines()] == [12]
    assert await chain.check(platform) == {"校验": 12}
    await platform["audit"].delete_one({"position": 12})
    assert "末尾缺失" in await found(platform)
    assert "末尾缺失" in await chain.end_in_doubt(platform)


async def test_an_address_that_does_not_answer_delays_nothing_and_is_said(platform: Platform) -> None:
    platform.settings.audit_anchor = "http://127.0.0.1:9/audit"
    await entries(platform, 2)
    assert (await _entry(platform, 12))["sealed"]
    assert "锚点读不到" in await found(platform)
    assert "锚点读不到" in await chain.end_in_doubt(platform)


# ---- a trail from before the key


async def as_it_was_before_the_key(platform: Platform) -> None:
    previous = chain.GENESIS
    async for entry in platform["audit"].find({"sealed": True}).sort("position", 1):
        said = {name: entry[name] for name in audit.SAID}
        content = orjson.dumps(
            [entry["position"], previous, said], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
        )
        own = hashlib.sha256(content).hexdigest()
        change = {"$set": {"previous": previous, "hash": own}, "$unset": {"seal": ""}}
        await platform["audit"].update_one({"_id": entry["_id"]}, change)
        previous = own
    await platform["audit_checks"].replace_one(
        {"_id": "chain"}, {"anchor_position": 10, "anchor_hash": previous}, upsert=True
    )
    anchor_file(platform).path.unlink()


async def bring_up_to_date(platform: Platform) -> None:
    async for _ in keyed.run(platform):
        pass
    await chain.seal(platform)


async def test_a_trail_from_before_the_key_is_sealed_in_its_place(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed, "AT_ONCE", 4)
    await as_it_was_before_the_key(platform)
    await anext(keyed.run(platform))  # cut off after its first batch
    await bring_up_to_date(platform)
    assert await chain.check(platform) == {"校验": 10}
    assert not {"hash", "previous"} & (await _entry(platform, 4)).keys()


async def test_what_had_been_tampered_with_before_the_key_is_not_made_good(platform: Platform) -> None:
    await as_it_was_before_the_key(platform)
    await at(platform, 4, actor_name="别人")
    await bring_up_to_date(platform)
    assert "第 4 条断开" in await found(platform)


async def test_what_had_been_cut_off_before_the_key_is_not_made_good(platform: Platform) -> None:
    await as_it_was_before_the_key(platform)
    await platform["audit"].delete_one({"position": 10})
    await bring_up_to_date(platform)
    assert "第 9 条断开" in await found(platform)
