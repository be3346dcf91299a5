"""台账核查 (article 18 (2)): whatever is done to the ledger behind the platform's back is found, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.certificates import issue, reconcile, rules
from server.certificates.documents import Certificate
from server.certificates.issue import Revocation
from server.certificates.reconcile import FindingKind, Ledger
from server.kernel import audit
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
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
    await issue.revoke_certificate(
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
    ] == 3  # its serial, its number, and the count of the class
    details = "".join(one.detail for one in await reconcile.findings(platform, CENTRE))
    assert ledger[1].printed.serial in details
    assert ledger[1].printed.number in details
    assert "核发 4 张，台账中有 3 张" in details
    [line] = await reconcile.waiting(platform, XINGTAI)
    today = beijing_date(platform.clock.now())
    assert (line.count, line.since, line.due, line.overdue) == (3, today, today + timedelta(days=5), False)
    await reconcile.reconcile(platform)
    assert len(await reconcile.findings(platform, CENTRE)) == 3, "found again, it stands once"
    await platform["certificates"].insert_one(row)
    await reconcile.reconcile(platform)
    assert await found(platform) == {}
    noted = await audit.of_subject(platform, cast.XINGTAI)
    facts = [one["facts"] for one in noted if one["action"] == "certificates:reconcile"]
    assert facts == [{"found": 0, "resolved": 3}, {"found": 3, "resolved": 0}]


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
    assert set(details) == {FindingKind.BEYOND, FindingKind.NOT_PASSED, FindingKind.COUNT}
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
    assert "009 邢台技师学院 3 3" in shown.text
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
