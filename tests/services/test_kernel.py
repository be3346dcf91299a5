"""The kernel on a real database: units of work, the vault, sequences, the audit chain."""

import asyncio

import pytest
from pymongo.errors import DuplicateKeyError

from server.kernel import chain, policies, sequences
from server.kernel.errors import Conflict
from server.kernel.identity import system
from server.kernel.mongo import Document
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.queries import LookUp, insert_many, look_up_both
from server.kernel.sequences import OrderExhausted
from server.kernel.unit_of_work import UnitOfWork, rehearse, transactional

SOMEBODY = system("test")


@transactional
async def take(unit: UnitOfWork, count: int, last: int) -> int:
    unit.audit("test:take", "sequence")
    return await sequences.take(unit, "test", count, last=last)


@transactional
async def write_and_fail(unit: UnitOfWork) -> None:
    unit.audit("test:fail", "nothing")
    unit.notify("nobody", "results-released", class_name="示例班")
    await unit["policies"].insert_one({"_id": "half", "key": "half", "version": 1}, session=unit.session)
    raise Conflict("改变主意")


@transactional
async def write_in_silence(unit: UnitOfWork) -> None:
    await unit["policies"].insert_one({"_id": "silent", "key": "silent", "version": 1}, session=unit.session)


@transactional
async def find_it_done(unit: UnitOfWork) -> None:
    unit.nothing_written()


async def test_a_use_case_that_fails_leaves_nothing_behind(platform: Platform) -> None:
    with pytest.raises(Conflict):
        await write_and_fail(platform, SOMEBODY)
    assert await platform["policies"].find_one({"_id": "half"}) is None
    assert await platform["audit"].find_one({"action": "test:fail"}) is None
    assert await platform["outbox"].count_documents({}) == 0


async def test_a_use_case_that_writes_without_an_audit_entry_is_refused(platform: Platform) -> None:
    with pytest.raises(AssertionError):
        await write_in_silence(platform, SOMEBODY)
    assert await platform["policies"].find_one({"_id": "silent"}) is None


async def test_a_rehearsal_raises_what_the_use_case_raises_and_leaves_nothing(platform: Platform) -> None:
    assert await rehearse(take, platform, SOMEBODY, 1, 99)
    assert await take(platform, SOMEBODY, 1, 99) == 1, "the order was given back"
    with pytest.raises(Conflict):
        await rehearse(write_and_fail, platform, SOMEBODY)
    assert await platform["policies"].find_one({"_id": "half"}) is None
    assert await platform["audit"].count_documents({"action": "test:take"}) == 1
    assert await platform["outbox"].count_documents({}) == 0


async def test_a_rehearsal_says_when_there_would_be_nothing_to_write(platform: Platform) -> None:
    assert not await rehearse(find_it_done, platform, SOMEBODY)


async def test_orders_taken_at_once_leave_no_gap_and_no_pair(platform: Platform) -> None:
    firsts = await asyncio.gather(*(take(platform, SOMEBODY, 3, 999) for _ in range(20)))
    assert sorted(firsts) == list(range(1, 61, 3))


async def test_an_order_that_would_run_out_is_refused_before_anything_is_written(platform: Platform) -> None:
    assert await take(platform, SOMEBODY, 7, 9) == 1
    with pytest.raises(OrderExhausted, match="还剩 2 个"):
        await take(platform, SOMEBODY, 3, 9)
    assert await take(platform, SOMEBODY, 2, 9) == 8


async def test_the_vault_finds_by_equality_and_hides_the_rest(platform: Platform) -> None:
    [one, again] = await platform.vault.encrypt_searchable(["甲", "甲"])
    [random, other] = await platform.vault.encrypt_random(["乙", "乙"])
    assert one == again and random != other
    assert await platform.vault.decrypt([one, other]) == ["甲", "乙"]
    assert "甲".encode() not in bytes(one)


async def test_the_audit_chain_shows_a_changed_entry(platform: Platform) -> None:
    for count in range(1, 4):
        await take(platform, SOMEBODY, count, 999)
    while await chain.seal(platform):
        pass
    assert (await chain.follow(platform))[1] == ""
    changed = await platform["audit"].find_one_and_update(
        {"action": "test:take"}, {"$set": {"facts": {"forged": True}}}, sort=[("position", 1)]
    )
    assert f"第 {changed['position']} 条断开" in (await chain.follow(platform))[1]


async def test_a_policy_counts_from_its_day_on_and_keeps_its_versions(platform: Platform) -> None:
    today = platform.clock.now().date()
    tomorrow = today.replace(day=today.day + 1)
    wanted = PolicyChange(key="pass_mark", value=70, effective_from=tomorrow, reason="示例调整")
    await policies.change(platform, SOMEBODY, wanted)
    assert (await policies.on(platform, today)).pass_mark == 60
    assert (await policies.on(platform, tomorrow)).pass_mark == 70
    assert [version.version for version in await policies.versions(platform)] == [1]


async def test_many_that_meet_a_unique_index_say_which_and_nothing_of_what_was_to_be_stored(
    platform: Platform,
) -> None:
    class Guest(Document):
        name: str

    there, new = Guest(name="宾试甲"), Guest(name="宾试乙")
    await insert_many(platform, "guests", [there])
    await insert_many(platform, "guests", [])
    with pytest.raises(DuplicateKeyError) as refusal:
        await insert_many(platform, "guests", [new, there])
    assert refusal.value.details == {"keyPattern": {"_id": 1}}
    assert "宾试" not in repr(refusal.value)


async def test_two_look_ups_travel_together_and_are_told_apart(platform: Platform) -> None:
    await platform["leases"].insert_many([{"_id": f"p{number}"} for number in range(3)])
    await platform["bindings"].insert_one({"_id": "b", "person_id": "p1", "openid": "o", "active": True})
    people = LookUp("leases", {"_id": {"$in": ["p0", "p2", "nobody"]}}, lambda rows: [r["_id"] for r in rows])
    bound = LookUp("bindings", {"person_id": {"$in": ["p1"]}}, list, {"_id": 0, "openid": 1})
    assert await look_up_both(platform, people, bound) == (["p0", "p2"], [{"openid": "o"}])
    nothing = LookUp("leases", {"_id": "nobody"}, list)
    assert await look_up_both(platform, nothing, bound) == ([], [{"openid": "o"}])
