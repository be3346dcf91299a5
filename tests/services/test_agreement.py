"""Who writes into the database makes no certificate: what the platform did not write is neither signed nor confirmed (article 18: 防伪)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from server.badges import service as badges
from server.certificates import agreement, issue, recount, sealed, signing, specimens, store, verify
from server.certificates import reconcile as checking
from server.certificates import service as certificates
from server.certificates.agreement import CertificateInDoubt
from server.certificates.documents import Certificate, CertificateStatus
from server.certificates.findings import FindingKind
from server.certificates.issue import Revocation
from server.certificates.sheets import LookChanged
from server.certificates.verify import CertificateQueryRequest, Doubt
from server.kernel.clock import beijing_date
from server.kernel.mongo import Row, new_id
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.layouts import store as layouts
from server.layouts.documents import Layout, Style
from server.ledger import roots
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.reissues import revoking
from server.reissues import service as reissues
from server.reissues.rules import Kind
from server.reissues.service import ReissueRequest
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admin.browserless import Browser, sign_in
from tests.api.client import call
from tests.asking import ANYWHERE, ask, ask_by_phone
from tests.services.test_public_answers import answers, checked, file_of, sheet
from tests.services.test_signing import drawn
from tests.stage import ClassInSession
from tests.surveying import clock_of

CENTRE, XINGTAI = stage.actor(cast.CENTRE), stage.actor(cast.XINGTAI_OFFICER)
WORDS = "这张证书的记录与台账不符，正在核查，暂不能作为依据"


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await certifying.passed_class(platform, wechat, 2)


@pytest.fixture
async def found(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await certifying.issued(platform, opened)


async def row_of(platform: Platform, one: Certificate | str) -> Row:
    row = await platform["certificates"].find_one({"_id": one if isinstance(one, str) else one.id})
    assert row is not None
    return row


async def write(platform: Platform, one: Certificate | str, **fields: Any) -> None:
    """As whoever has the database does; dots are written as two underscores."""
    changed = {name.replace("__", "."): value for name, value in fields.items()}
    which = {"_id": one if isinstance(one, str) else one.id}
    await platform["certificates"].update_one(which, {"$set": changed})


async def put_back(platform: Platform, row: Row) -> None:
    await platform["certificates"].replace_one({"_id": row["_id"]}, row, upsert=True)


async def open_kinds(platform: Platform) -> set[str]:
    return {one.kind for one in await checking.findings(platform, XINGTAI)}


# ---- what waits to be signed


async def waiting(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    await issue.issue_certificates(platform, opened.officer, opened.id)
    return await certifying.certificates_of(platform, opened.officer, opened.id)


async def test_no_word_is_signed_that_was_not_written_with_the_number(
    platform: Platform, opened: ClassInSession
) -> None:
    one, other = await waiting(platform, opened)
    row, another = await row_of(platform, one), await row_of(platform, other)
    assert sealed.is_as_numbered(platform, row)
    for field, value in {
        "token": "A" * 26,
        "replaces": other.id,
        "issued_by": "别人",
        "issued_at": row["issued_at"] - timedelta(days=1),
        "institution_code": "010",
        "person_id": other.person_id,
        "numbered": another["numbered"],
        "_id": new_id(),
    }.items():
        assert not sealed.is_as_numbered(platform, row | {field: value}), field
    for field, value in {
        "name": "别人",
        "id_number": another["printed"]["id_number"],
        "class_hours": 880,
        "seal": new_id(),
        "layout": new_id(),
        "look": "0" * 64,
    }.items():
        printed = row["printed"] | {field: value}
        assert not sealed.is_as_numbered(platform, row | {"printed": printed}), field

    await write(platform, one, printed__name="伪造人", printed__class_hours=880)
    invented = row | {"_id": new_id(), "token": "B" * 26, "person_id": new_id()}
    invented["printed"] = row["printed"] | {
        "serial": "1300900099",
        "number": row["printed"]["number"][:-1] + "9",
    }
    await platform["certificates"].insert_one(invented)
    assert await signing.sign_waiting(platform) == {"制成证书": 1, "不予签名": 2}
    for which in (one.id, str(invented["_id"])):
        kept = await row_of(platform, which)
        assert (kept["status"], kept["file"], kept["drafts"]) == (CertificateStatus.PENDING, None, [])
        assert await ledger.entries_of(platform, which) == []
    assert (await row_of(platform, other))["status"] == CertificateStatus.VALID
    at_once = [one for one in await checking.findings(platform, XINGTAI) if one.kind == FindingKind.NUMBERED]
    assert {one.subject for one in at_once} == {one.id, invented["_id"]}
    told = await office_inbox.inbox(platform, XINGTAI, InboxFilter(), limit=9)
    assert sum("没有签名" in said.words and one.printed.number in said.words for said in told) == 1
    await checking.reconcile(platform)
    assert FindingKind.NUMBERED in await open_kinds(platform), "the nightly check finds it too"

    await platform["certificates"].delete_one({"_id": invented["_id"]})
    await put_back(platform, await row_of(platform, one) | {"printed": row["printed"]})
    assert await issue.try_again(platform, XINGTAI, opened.id) == 1
    assert await signing.sign_waiting(platform) == {"制成证书": 1}, "as soon as it is restored"
    await checking.reconcile(platform)
    assert await open_kinds(platform) == set()


async def test_what_is_changed_while_it_is_drawn_is_not_made_valid(
    platform: Platform, opened: ClassInSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = await waiting(platform, opened)
    begin = store.begin_file

    async def change_and_begin(scope: Platform, certificate_id: str, file_id: str) -> list[str] | None:
        if certificate_id == one.id:
            await write(platform, one, printed__name="伪造人")
        return await begin(scope, certificate_id, file_id)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store, "begin_file", change_and_begin)
        assert await signing.sign_waiting(platform) == {"制成证书": 1, "不予签名": 1}
    assert (await row_of(platform, one))["status"] == CertificateStatus.PENDING
    assert await open_kinds(platform) == {FindingKind.NUMBERED}


async def test_a_number_that_was_given_up_is_not_signed_after_all(
    platform: Platform, opened: ClassInSession
) -> None:
    one, _ = await waiting(platform, opened)
    await write(platform, one, attempts=5)
    why = Revocation(reason="姓名无法印制", typed=one.printed.number)
    await revoking.revoke(platform, XINGTAI, one.id, why)
    await write(platform, one, status="PENDING", attempts=0, current=True)
    assert await signing.sign_waiting(platform) == {"制成证书": 1, "不予签名": 1}
    assert await open_kinds(platform) == {FindingKind.STATUS}


async def test_a_layout_or_seal_that_was_changed_since_prints_nothing(
    platform: Platform, opened: ClassInSession
) -> None:
    today = beijing_date(platform.clock.now())
    new = Layout(
        level=opened.training_class.level,
        version=1,
        style=Style(),
        effective_from=today - timedelta(days=1),
        reason="依据样证修订",
        set_by="部试甲",
        set_at=platform.clock.now(),
    )
    await layouts.insert(platform, new)
    one, other = await waiting(platform, opened)
    assert one.printed.layout == new.id and one.printed.look
    change = {"$set": {"style.title_size": 30}}
    await platform["layouts"].update_one({"_id": new.id}, change)
    assert await signing.sign_waiting(platform) == {"没有制成": 2}
    assert "被改动过" in (await row_of(platform, one))["failure"]
    await platform["layouts"].update_one({"_id": new.id}, {"$set": {"style.title_size": 39}})
    await issue.try_again(platform, XINGTAI, opened.id)
    assert await signing.sign_waiting(platform) == {"制成证书": 2}
    assert await recount.differences(platform, cast.XINGTAI) == []
    await platform["layouts"].update_one({"_id": new.id}, change)
    kinds = {one.kind for one in await recount.differences(platform, cast.XINGTAI)}
    assert kinds == {FindingKind.LOOK}
    with pytest.raises(LookChanged):
        await certificates.my_png(platform, opened.trainees[0].actor, one.id)
    await platform["layouts"].update_one({"_id": new.id}, {"$set": {"style.title_size": 39}})
    held = {one.person_id: one.id for one in (one, other)}
    me = opened.trainees[0].actor
    assert (await certificates.my_png(platform, me, held[me.person_id])).content.startswith(b"\x89PNG")


# ---- what is confirmed, and handed out


TAMPERED: dict[str, Row] = {
    "name": {"printed.name": "伪造人", "folded_name": "伪造人"},
    "hours": {"printed.class_hours": 999},
    "masked number": {"printed.id_number_masked": "130***********0000"},
    "file": {"file.sha256": "0" * 64},
    "state": {"status": "REISSUED", "current": False},
    "counts": {"current": False},
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_a_certificate_that_was_changed_is_not_confirmed(
    platform: Platform, found: list[Certificate], what: str
) -> None:
    one, other = found
    row = await row_of(platform, one)
    await platform["certificates"].update_one({"_id": one.id}, {"$set": TAMPERED[what]})
    shown = await verify.verify(platform, one.token, ANYWHERE)
    assert shown is not None and (shown.status, shown.proof) == (Doubt.IN_DOUBT, None)
    assert len(await checking.findings(platform, CENTRE)) == 1, "staff see it at once"
    await verify.verify(platform, one.token, ANYWHERE)
    assert len(await checking.findings(platform, CENTRE)) == 1, "and once"
    sound = await verify.verify(platform, other.token, ANYWHERE)
    assert sound is not None and sound.status is CertificateStatus.VALID
    await put_back(platform, row)
    again = await verify.verify(platform, one.token, ANYWHERE)
    assert again is not None and again.status is CertificateStatus.VALID


async def test_what_is_void_is_not_said_to_be_valid_and_a_row_put_in_is_no_certificate(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    one, other = found
    why = Revocation(reason="姓名登记有误", typed=one.printed.number)
    await revoking.revoke(platform, XINGTAI, one.id, why)
    await ledger.seal(platform)
    await roots.check_and_sign(platform)
    await write(platform, one, status="VALID", current=True)
    shown = await verify.verify(platform, one.token, ANYWHERE)
    assert shown is not None and (shown.status, shown.proof) == (Doubt.IN_DOUBT, None)

    row = await row_of(platform, other)
    invented = row | {"_id": new_id(), "token": "A" * 26, "person_id": new_id(), "current": True}
    blank = drawn("unsigned")
    invented["file"] = row["file"] | {"sha256": hashlib.sha256(blank).hexdigest()}
    invented["printed"] = row["printed"] | {
        "serial": "1300900099",
        "number": row["printed"]["number"][:-1] + "9",
    }
    await platform["certificates"].insert_one(invented)
    shown = await verify.verify(platform, "A" * 26, ANYWHERE)
    assert shown is not None and shown.status is Doubt.IN_DOUBT
    told = await checked(platform, blank)
    assert told.paper is None and "没有数字签名" in told.words
    assert {FindingKind.STATUS, FindingKind.NO_ENTRY} == await open_kinds(platform)
    content = await file_of(platform, other)
    entry = {"certificate_id": other.id, "kind": EntryKind.ISSUED}
    for forged in ({"content": sealed.content_of(row | {"token": "C" * 26})}, {"mark": "0" * 64}):
        kept = await platform["ledger"].find_one_and_update(entry, {"$set": forged})
        in_hand = await checked(platform, content)
        assert in_hand.paper is not None and in_hand.paper.status is Doubt.IN_DOUBT
        assert kept is not None
        await platform["ledger"].replace_one({"_id": kept["_id"]}, kept)


async def test_page_phone_sheet_and_prints_tell_that_it_is_looked_into_and_give_nothing(
    platform: Platform, site: str, opened: ClassInSession, found: list[Certificate]
) -> None:
    one, other = found
    me = next(each for each in opened.trainees if each.actor.person_id == one.person_id)
    await write(platform, one, printed__class_hours=999)
    number = one.printed.number

    page = await Browser(site).get(f"/verify/{one.token}")
    assert page.status == 200 and WORDS in page.text
    assert "证书有效" not in page.text and "999" not in page.text and "入账证明" not in page.text
    proof = await AsyncHTTPClient().fetch(f"{site}/verify/{one.token}/proof", raise_error=False)
    assert proof.code == 409
    named = CertificateQueryRequest(name=one.printed.name, certificate_number=number)
    assert [each.status for each in await ask(platform, named)] == [Doubt.IN_DOUBT]
    answer = await ask_by_phone(site, {"name": one.printed.name, "certificate_number": number})
    assert [each["status"] for each in answer.json["items"]] == ["IN_DOUBT"]
    lines = [(one.printed.name, "", number), (other.printed.name, "", other.printed.number)]
    assert [said for _, said, _ in await answers(platform, sheet(lines))] == [Doubt.IN_DOUBT.label, "有效"]

    for way in (certificates.my_pdf, certificates.my_png, certificates.my_image, badges.my_credential):
        with pytest.raises(CertificateInDoubt):
            await way(platform, me.actor, one.id)
    refused = await call(site, "GET", f"/certificates/{one.id}/credential", token=me.token)
    assert (refused.status, refused.problem) == (409, "certificate-in-doubt")
    for each in (certificates.class_book, certificates.class_archive, specimens.class_overprint):
        with pytest.raises(CertificateInDoubt, match=number):
            await each(platform, XINGTAI, opened.id)
    lost = ReissueRequest(kind=Kind.LOST, reason="搬家时遗失，本人已写明情况。")
    asked = await reissues.ask(platform, XINGTAI, one.id, lost)
    with pytest.raises(CertificateInDoubt):
        await reissues.grant(platform, XINGTAI, asked.id, Review(seen=1))
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    seen = await mine.get(f"/admin/certificates/{one.id}")
    assert "公开查询不确认它有效" in seen.text and "与核发时封存的不同" in seen.text
    sound = await mine.get(f"/admin/certificates/{other.id}")
    assert "公开查询不确认" not in sound.text


async def test_an_act_between_two_readings_is_no_doubt(
    platform: Platform, found: list[Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = found[0]
    read = store.rows
    left = ["revoke"]

    async def read_and_revoke(scope: Platform, ids: Sequence[str]) -> dict[str, Row]:
        rows = await read(scope, ids)
        if left:
            left.clear()
            why = Revocation(reason="姓名登记有误", typed=one.printed.number)
            await revoking.revoke(platform, XINGTAI, one.id, why)
        return rows

    monkeypatch.setattr(store, "rows", read_and_revoke)
    assert await agreement.doubted(platform, found) == set()
    assert await open_kinds(platform) == set()


# ---- what is entered of it


async def test_however_often_its_holder_looks_a_day_is_one_entry(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    one, me = (
        found[0],
        next(each.actor for each in opened.trainees if each.actor.person_id == found[0].person_id),
    )
    for way in (certificates.my_pdf, certificates.my_pdf, certificates.my_image):
        await way(platform, me, one.id)
    clock_of(platform).advance(timedelta(days=1))
    await certificates.my_pdf(platform, me, one.id)
    kinds = [entry.kind for entry in await ledger.entries_of(platform, one.id)]
    assert kinds == [EntryKind.ISSUED, EntryKind.FETCHED, EntryKind.FETCHED]
    assert await platform["audit"].count_documents({"action": "certificates:print", "subject": one.id}) == 4
    await certificates.staff_pdf(platform, XINGTAI, one.id)
    await certificates.staff_pdf(platform, XINGTAI, one.id)
    assert sum(one.kind is EntryKind.TAKEN for one in await ledger.entries_of(platform, one.id)) == 2
