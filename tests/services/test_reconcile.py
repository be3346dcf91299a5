"""台账核查 (article 18 (2)): whatever is done to the ledger behind the platform's back is found, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bson.binary import Binary
from hypothesis import given
from hypothesis import strategies as st

from server.certificates import reconcile, recount, rules
from server.certificates.documents import Certificate
from server.certificates.findings import FindingKind
from server.certificates.issue import Revocation
from server.certificates.reconcile import Ledger
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.reissues import revoking
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admin.browserless import sign_in

CENTRE, HEBEI, XINGTAI = (stage.actor(one) for one in (cast.CENTRE, cast.HEBEI_OFFICER, cast.XINGTAI_OFFICER))
YANGZHOU, JIANGSU = stage.actor(cast.YANGZHOU_OFFICER), stage.actor(cast.JIANGSU_OFFICER)


@pytest.fixture
async def ledger(platform: Platform, wechat: Simulator) -> list[Certificate]:
    """Four certificates of one class of 邢台."""
    opened = await certifying.passed_class(platform, wechat, trainees=4)
    return await certifying.issued(platform, opened)


async def found(platform: Platform, actor: Actor = CENTRE) -> dict[str, str]:
    """Kind → detail of what stands open."""
    return {one.kind: one.detail for one in await reconcile.findings(platform, actor)}


async def change(platform: Platform, one: Certificate, **fields: Any) -> None:
    await platform["certificates"].update_one({"_id": one.id}, {"$set": fields})


async def test_a_ledger_that_the_platform_wrote_fits(platform: Platform, ledger: list[Certificate]) -> None:
    await revoking.revoke(
        platform, XINGTAI, ledger[1].id, Revocation(reason="姓名登记有误", typed=ledger[1].printed.number)
    )
    assert await reconcile.reconcile(platform) == {"核查证书": 4, "不符": 0}
    assert await found(platform) == {}
    assert await reconcile.waiting(platform, CENTRE) == []


async def test_a_certificate_that_was_deleted_is_a_gap_until_it_is_restored(
    platform: Platform, ledger: list[Certificate]
) -> None:
    row = await platform["certificates"].find_one_and_delete({"_id": ledger[1].id})
    assert row is not None
    assert (await reconcile.reconcile(platform))[
        "不符"
    ] == 4  # its serial, its number, the count of the class, and its entry
    details = "".join(one.detail for one in await reconcile.findings(platform, CENTRE))
    assert ledger[1].printed.serial in details
    assert ledger[1].printed.number in details
    assert "核发 4 张，台账中有 3 张" in details
    [line] = await reconcile.waiting(platform, XINGTAI)
    today = beijing_date(platform.clock.now())
    assert (line.count, line.since, line.due, line.overdue) == (4, today, today + timedelta(days=5), False)
    await reconcile.reconcile(platform)
    assert len(await reconcile.findings(platform, CENTRE)) == 4, "found again, it stands once"
    await platform["certificates"].insert_one(row)
    await reconcile.reconcile(platform)
    assert await found(platform) == {}
    noted = await audit.of_subject(platform, cast.XINGTAI)
    facts = [one["facts"] for one in noted if one["action"] == "certificates:reconcile"]
    assert facts == [{"found": 0, "resolved": 4}, {"found": 4, "resolved": 0}]


async def test_a_forged_certificate_is_found_by_its_order_its_result_and_the_count(
    platform: Platform, ledger: list[Certificate]
) -> None:
    row = await platform["certificates"].find_one({"_id": ledger[0].id})
    assert row is not None
    serial, number = ledger[3].printed.serial[:5] + "00009", ledger[3].printed.number[:12] + "009"
    forged = row | {"_id": "f" * 24, "person_id": "e" * 24, "token": "forged"}
    forged["printed"] = row["printed"] | {"serial": serial, "number": number}
    await platform["certificates"].insert_one(forged)
    await reconcile.reconcile(platform)
    details = await found(platform)
    assert set(details) == {
        FindingKind.BEYOND,
        FindingKind.NOT_PASSED,
        FindingKind.COUNT,
        FindingKind.NO_ENTRY,
    }
    assert "核发 4 张，台账中有 5 张" in details[FindingKind.COUNT]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("printed.number", "13009202603X001", FindingKind.MALFORMED),
        ("printed.class_hours", -1, FindingKind.MALFORMED),
        ("printed.level", "1", FindingKind.MALFORMED),
        ("printed.serial", "3201900001", FindingKind.MALFORMED),
        ("status", "REVOKED", FindingKind.MALFORMED),
        ("person_id", "e" * 24, FindingKind.NOT_PASSED),
    ],
)
async def test_a_certificate_that_was_changed_is_found(
    platform: Platform, ledger: list[Certificate], field: str, value: Any, kind: FindingKind
) -> None:
    await change(platform, ledger[2], **{field: value})
    await reconcile.reconcile(platform)
    assert kind in await found(platform)
    assert await reconcile.findings(platform, XINGTAI), "the institution sees it"
    assert await reconcile.findings(platform, HEBEI), "and its province"
    for stranger in (YANGZHOU, JIANGSU):
        assert await reconcile.findings(platform, stranger) == []
        assert await reconcile.waiting(platform, stranger) == []


TAMPERED: dict[str, tuple[str, Row, Row, set[FindingKind]]] = {
    "name": ("certificates", {}, {"printed.name": "别人"}, {FindingKind.CONTENT}),
    "ID number": ("certificates", {}, {"printed.id_number": Binary(b"another", 6)}, {FindingKind.CONTENT}),
    "masked number": (
        "certificates",
        {},
        {"printed.id_number_masked": "130***********0000"},
        {FindingKind.CONTENT},
    ),
    "hours": ("certificates", {}, {"printed.class_hours": 81}, {FindingKind.CONTENT}),
    "outcome": ("certificates", {}, {"printed.result": "优秀"}, {FindingKind.CONTENT}),
    "course": ("certificates", {}, {"printed.courses": ["别的课程"]}, {FindingKind.CONTENT}),
    "a word more": (
        "certificates",
        {},
        {"printed.remark": "x"},
        {FindingKind.CONTENT, FindingKind.MALFORMED},
    ),
    "token": ("certificates", {}, {"token": "another"}, {FindingKind.CONTENT}),
    "void that is said to be valid": (
        "certificates",
        {"status": "REVOKED"},
        {"status": "VALID", "current": True},
        {FindingKind.STATUS},
    ),
    "valid that is said to be void": (
        "certificates",
        {},
        {"status": "REPLACED", "current": False},
        {FindingKind.STATUS},
    ),
    "why it is void": (
        "certificates",
        {"status": "REVOKED"},
        {"revoke_reason": "与事实不符的理由"},
        {FindingKind.STATUS},
    ),
    "valid that does not count": ("certificates", {}, {"current": False}, {FindingKind.STATUS}),
    "grade": ("results", {}, {"total_tenths": 999}, {FindingKind.BASIS}),
    "hours attended": ("results", {}, {"hours_attended": 79}, {FindingKind.BASIS}),
    "hours of a session": ("teaching_sessions", {}, {"hours": 1}, {FindingKind.BASIS}),
    "an entry": (
        "ledger",
        {"kind": "ISSUED"},
        {"content": "0" * 64},
        {FindingKind.ENTRY, FindingKind.CONTENT},
    ),
    "another's entry": ("ledger", {"kind": "ISSUED"}, {"actor_name": "别人"}, {FindingKind.ENTRY}),
}
"""What still keeps every rule, but is not what was issued."""


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_is_changed_behind_the_back_of_the_platform_contradicts_what_the_ledger_sealed(
    platform: Platform, ledger: list[Certificate], what: str
) -> None:
    typed = ledger[1].printed.number
    await revoking.revoke(platform, XINGTAI, ledger[1].id, Revocation(reason="姓名登记有误", typed=typed))
    collection, of, fields, kinds = TAMPERED[what]
    if collection in ("certificates", "ledger"):
        key = "_id" if collection == "certificates" else "certificate_id"
        of = of | {key: {"$in": [ledger[1 if of.get("status") else 2].id]}}
    changed = await platform[collection].find_one_and_update(of, {"$set": fields})
    assert changed is not None
    await reconcile.reconcile(platform)
    assert set(await found(platform)) == kinds
    await platform[collection].replace_one({"_id": changed["_id"]}, changed)
    await reconcile.reconcile(platform)
    assert await found(platform) == {}, "as soon as it is restored"


async def test_a_stored_file_is_read_through_each_night(
    platform: Platform, ledger: list[Certificate]
) -> None:
    """A byte of it, the whole of it, another in its place, and what is said of it."""
    rows = [await platform["certificates"].find_one({"_id": one.id}) for one in ledger[2:]]
    files = [row["file"] for row in rows if row]
    at = {"files_id": files[0]["file_id"], "n": 0}
    chunk = await platform["files.chunks"].find_one(at)
    assert chunk is not None

    async def differs() -> str:
        found = await recount.differences(platform, cast.XINGTAI)
        return "".join(one.detail for one in found if one.kind is FindingKind.FILE)

    assert await recount.differences(platform, cast.XINGTAI) == []
    byte = bytes(chunk["data"])
    await platform["files.chunks"].update_one(at, {"$set": {"data": byte[:-1] + b"\0"}})
    assert "与核发时的不同" in await differs()
    await platform["files.chunks"].delete_one(at)
    assert "读不出来" in await differs()
    await platform["files.chunks"].insert_one(chunk)
    await change(platform, ledger[2], file=files[1])
    assert "不是核发时的那一份" in await differs(), "another certificate's file"
    await change(platform, ledger[2], file=files[0] | {"file_id": files[1]["file_id"]})
    assert "与核发时的不同" in await differs()
    await change(platform, ledger[2], file=files[0] | {"file_id": "no such file"})
    assert "不见了" in await differs()


async def test_the_page_shows_each_what_concerns_them(
    platform: Platform, site: str, ledger: list[Certificate]
) -> None:
    centre = await sign_in(platform, site, cast.CENTRE)
    assert "还没有核查过" in (await centre.get("/admin/certificates/check")).text
    await reconcile.reconcile(platform)
    assert "账实相符" in (await centre.get("/admin/certificates/check")).text
    await platform["certificates"].delete_one({"_id": ledger[1].id})
    await reconcile.reconcile(platform)
    shown = await centre.get("/admin/certificates/check")
    assert "缺号" in shown.text and f"{ledger[1].printed.serial} 已取号" in shown.text
    assert "009 邢台技师学院 3 4" in shown.text
    assert "台账核查发现不符" in (await centre.get("/admin")).text
    yangzhou = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert "账实相符" in (await yangzhou.get("/admin/certificates/check")).text
    assert "台账核查发现不符" not in (await yangzhou.get("/admin")).text


@given(st.sets(st.integers(1, 40)), st.integers(0, 40))
def test_gaps_and_excess_are_what_the_sets_say(used: set[int], taken: int) -> None:
    """Against the obvious reckoning: the orders that are missing up to `taken`, and those beyond it."""
    place = ("13", "009")
    sequence = rules.serial_sequence(*place)
    ledger = Ledger(*place, orders={sequence: list(used)})
    ledger.close({sequence: taken}, {sequence: taken})
    missing = set(range(1, taken + 1)) - used
    reported = {
        order for one in ledger.findings if one.kind is FindingKind.GAP for order in _orders(one.subject)
    }
    assert reported == missing
    beyond = any(one.kind is FindingKind.BEYOND for one in ledger.findings)
    assert beyond == any(order > taken for order in used)


async def test_a_changed_place_is_named_in_words(platform: Platform, ledger: list[Certificate]) -> None:
    await change(platform, ledger[2], **{"printed.class_hours": -1, "printed.level": "1"})
    await reconcile.reconcile(platform)
    assert "请核对培训课时。" in (await found(platform))[FindingKind.MALFORMED]


def _orders(subject: str) -> range:
    first, _, last = subject.partition(" 至 ")
    return range(int(first[5:]), int((last or first)[5:]) + 1)


def test_what_is_issued_while_the_ledger_is_read_is_no_finding() -> None:
    place = ("13", "009")
    sequence = rules.serial_sequence(*place)
    ledger = Ledger(*place, orders={sequence: [1, 2, 3, 4]})
    ledger.close({sequence: 2}, {sequence: 5})
    assert ledger.findings == []


def test_an_order_that_stands_twice_is_found_though_the_index_forbids_it() -> None:
    place = ("13", "009")
    sequence = rules.serial_sequence(*place)
    ledger = Ledger(*place, orders={sequence: [1, 2, 2]})
    ledger.close({sequence: 2}, {sequence: 2})
    assert [(one.kind, one.subject) for one in ledger.findings] == [(FindingKind.REPEATED, "1300900002")]
