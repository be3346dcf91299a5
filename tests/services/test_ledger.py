"""The ledger of certificates (article 18 (2)): append-only, sealed, signed each day; whatever is done to it shows."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from server.certificates import sealed
from server.certificates.documents import Certificate
from server.kernel import chain
from server.kernel.anchor import AnchorFile, anchor_of
from server.kernel.chain import ChainBroken
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.ledger import merkle, roots
from server.ledger import service as ledger
from server.ledger import store as ledger_store
from server.ledger.documents import CHAIN, EntryKind, InclusionProof, leaf_of
from server.seals import service as seals
from server.wechat.simulator import Simulator
from tests import cast, certifying, sealing, stage
from tests.surveying import clock_of

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


@transactional
async def enter(unit: UnitOfWork, certificate: Certificate, kind: EntryKind) -> None:
    await ledger.record(unit, kind, await sealed.subject_of(unit, certificate), copies=1)
    unit.audit("tests:enter", certificate.id)


async def two_days(platform: Platform, wechat: Simulator) -> list[Certificate]:
    """Four certificates of 邢台; a root over their entries, and one of the next day over three more."""
    opened = await certifying.passed_class(platform, wechat, trainees=4)
    issued = await certifying.issued(platform, opened)
    await ledger.seal(platform)
    await roots.check_and_sign(platform)
    clock_of(platform).advance(timedelta(days=1))
    for one in issued[:2]:
        await enter(platform, XINGTAI, one, EntryKind.PRINTED)
    await certifying.revoked(platform, XINGTAI, issued[1], "姓名登记有误")
    await ledger.seal(platform)
    assert await roots.check_and_sign(platform) == {"校验": 7, "签名": 1}
    return issued


@pytest.fixture
async def certificates(platform: Platform, wechat: Simulator) -> list[Certificate]:
    return await two_days(platform, wechat)


def file(platform: Platform, chain_name: str) -> AnchorFile:
    anchor = anchor_of(platform.settings, chain_name)
    assert isinstance(anchor, AnchorFile)
    return anchor


async def found(platform: Platform) -> str:
    with pytest.raises(ChainBroken) as raised:
        await roots.check_and_sign(platform)
    assert (await roots.state(platform)).broken == raised.value.detail
    return str(raised.value.detail)


# ---- what is entered


async def test_what_was_done_with_a_certificate_is_entered_with_who_did_it_in_its_transaction(
    platform: Platform, certificates: list[Certificate]
) -> None:
    issued, printed, revoked = await ledger.entries_of(platform, certificates[1].id)
    assert [one.kind.label for one in (issued, printed, revoked)] == ["核发", "打印", "撤销"]
    assert {issued.facts["issued_by"], printed.actor_name, revoked.actor_name} == {XINGTAI.name}
    assert revoked.facts == {"reason": "姓名登记有误"} and printed.facts == {"copies": 1}
    assert {one.number for one in (issued, printed, revoked)} == {certificates[1].printed.number}
    assert len({(one.content, one.sessions) for one in (issued, printed, revoked)}) == 1
    assert [one.position for one in (issued, printed, revoked)] == [2, 6, 7]
    before = await platform["ledger"].count_documents({})
    with pytest.raises(Exception, match="ledger"):
        await enter(platform, XINGTAI, certificates[0], EntryKind.ISSUED)
    assert await platform["ledger"].count_documents({}) == before, "issued once"


async def test_the_content_is_recounted_from_the_row_by_anybody_who_reads_it(
    platform: Platform, certificates: list[Certificate]
) -> None:
    """In plain steps and without the platform's own code."""
    row = await platform["certificates"].find_one({"_id": certificates[0].id})
    [entry, _] = await ledger.entries_of(platform, certificates[0].id)
    assert row is not None
    printed = {name: value for name, value in row["printed"].items() if value not in (None, "")}
    printed["id_number"] = base64.b64encode(printed["id_number"]).decode()
    said = ["certificate", row["class_id"], row["person_id"], row["token"], printed]
    plain = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    assert entry.content == hashlib.sha256(plain).hexdigest()


# ---- the signed root and its proofs


def independently(proof: InclusionProof) -> None:
    """Signature and path, by other hands than those that made them."""
    root = proof.signed_root
    key = x509.load_pem_x509_certificate(root.certificate.encode()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(root.signature), root.statement.encode(), ec.ECDSA(hashes.SHA256()))
    assert orjson.loads(root.statement)["root"] == root.root
    digest, number, size = hashlib.sha256(b"\0" + proof.leaf.encode()).digest(), proof.index, root.size
    for one in map(bytes.fromhex, proof.path):
        while number == size - 1 and not number & 1:
            number, size = number >> 1, size + 1 >> 1
        pair = one + digest if number & 1 else digest + one
        digest, number, size = hashlib.sha256(b"\1" + pair).digest(), number >> 1, size + 1 >> 1
    assert digest.hex() == root.root


async def test_each_certificate_is_proven_under_the_root_of_the_night_without_saying_who_or_whose(
    platform: Platform, certificates: list[Certificate]
) -> None:
    for one in certificates:
        proof = await roots.proof_of(platform, one.id)
        assert proof is not None
        independently(proof)
        assert proof.signed_root.size == 7
        assert proof.kind == ("撤销" if one is certificates[1] else "核发"), "not who printed it and when"
        assert one.printed.name not in proof.leaf and XINGTAI.name not in proof.leaf
        assert orjson.loads(proof.leaf)["number"] == one.printed.number
    await platform["ledger_nodes"].update_one({"_id": "02:000000000000"}, {"$set": {"hash": b"\0" * 32}})
    assert await roots.proof_of(platform, certificates[2].id) is not None, "its own path needs it not"
    await platform["ledger_nodes"].update_one({"_id": "00:000000000003"}, {"$set": {"hash": b"\0" * 32}})
    assert await roots.proof_of(platform, certificates[2].id) is None, (
        "a proof that proves nothing is not given"
    )


async def test_the_ledger_of_today_begins_with_that_of_yesterday(
    platform: Platform, certificates: list[Certificate]
) -> None:
    later, earlier = await roots.published(platform)
    assert (earlier.size, later.size) == (4, 7)
    proof = await roots.consistency(platform, earlier.id, later.id)
    path = [bytes.fromhex(one) for one in proof.path]
    assert merkle.consistent(4, 7, bytes.fromhex(earlier.root), bytes.fromhex(later.root), path)


async def test_roots_and_authorities_that_somebody_has_put_in_are_not_published(
    platform: Platform, certificates: list[Certificate]
) -> None:
    later, earlier = await roots.published(platform)
    pem = await seals.certificates(platform)
    authority = await platform["signing_authorities"].find_one({})
    root = await platform["ledger_roots"].find_one({"_id": later.id})
    assert authority is not None and root is not None
    key = ec.generate_private_key(ec.SECP256R1())
    foreign = sealing.certificate("某某公司", key, authority=True).public_bytes(Encoding.PEM).decode()
    await platform["signing_authorities"].insert_one(authority | {"_id": "0000", "certificate": foreign})
    said = {"day": "2099-01-01", "size": root["size"], "root": "0" * 64}
    statement = orjson.dumps(said)
    signature = base64.b64encode(key.sign(statement, ec.ECDSA(hashes.SHA256()))).decode()
    forged = {"_id": said["day"], "root": said["root"], "statement": statement.decode()}
    forged |= {"signature": signature, "certificate": foreign}
    await platform["ledger_roots"].insert_one(root | forged)
    assert roots.holds((await ledger_store.roots(platform))[0].published), "it is whole, and not ours"
    assert await seals.certificates(platform) == pem
    assert await roots.published(platform) == [later, earlier]
    proof = await roots.proof_of(platform, certificates[0].id)
    assert proof is not None and proof.signed_root == later.published
    with pytest.raises(NotFound):
        await roots.consistency(platform, earlier.id, said["day"])
    await platform["ledger_roots"].update_one({"_id": earlier.id}, {"$set": {"size": 3}})
    assert await roots.published(platform) == [later]


async def test_one_root_a_day_and_none_over_a_ledger_in_doubt(
    platform: Platform, certificates: list[Certificate], clock: FixedClock
) -> None:
    assert await roots.check_and_sign(platform) == {"校验": 7, "签名": 0}
    await at(platform, 3, number="13009202603X001")
    clock_of(platform).advance(timedelta(days=1))
    await found(platform)
    assert len(await roots.published(platform)) == 2


# ---- tampering


async def at(platform: Platform, position: int, **fields: object) -> None:
    await platform["ledger"].update_one({"position": position}, {"$set": fields})


async def rewrite(platform: Platform, first: int, *, with_key: bool) -> None:
    """Changes an entry and links all later ones anew."""
    await at(platform, first, content="0" * 64)
    before = await platform["ledger"].find_one({"position": first - 1})
    previous = before["seal"] if before else chain.GENESIS
    async for entry in platform["ledger"].find({"position": {"$gte": first}}).sort("position", 1):
        if with_key:
            previous = chain.seal_of(platform, entry, entry["position"], previous, CHAIN)
            mark = CHAIN.mark_of(platform, entry)
        else:
            previous = hashlib.sha256(f"{previous}{entry}".encode()).hexdigest()
            mark = entry["mark"]
        await at(platform, entry["position"], seal=previous, mark=mark)


async def forge_anchor(platform: Platform) -> None:
    """The heads as they would stand there, had the ledger always been as it is now."""
    rows = {row["position"]: row async for row in platform["ledger"].find({"sealed": True})}
    anchor = file(platform, "ledger")
    lines = [orjson.loads(line) for line in anchor.path.read_bytes().splitlines()]
    forged = [one | {"seal": rows[one["position"]]["seal"]} for one in lines if one["position"] in rows]
    anchor.path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in forged))


@pytest.mark.parametrize(
    "field", ["content", "sessions", "kind", "number", "actor_name", "file", "facts", "at", "late"]
)
async def test_a_changed_entry_is_found(
    platform: Platform, certificates: list[Certificate], field: str
) -> None:
    await at(platform, 3, **{field: "PRINTED" if field == "kind" else "别的"})
    assert "第 3 条断开" in await found(platform)


async def test_an_entry_that_is_removed_swapped_or_moved_to_another_certificate_is_found(
    platform: Platform, certificates: list[Certificate]
) -> None:
    three, four = [await platform["ledger"].find_one({"position": one}) for one in (3, 4)]
    assert three and four
    place = ("position", "seal")
    await platform["ledger"].delete_many({"position": {"$in": [3, 4]}})
    assert "第 3 条断开" in await found(platform)
    swapped: list[Row] = [
        {**one, **{name: other[name] for name in place}} for one, other in ((three, four), (four, three))
    ]
    await platform["ledger"].insert_many(swapped)
    assert "第 3 条断开" in await found(platform)
    await platform["ledger"].delete_many({"position": {"$in": [3, 4]}})
    await platform["ledger"].insert_many([three, four])
    await roots.check_and_sign(platform)


async def test_a_tail_that_is_cut_off_contradicts_the_anchor_and_without_it_the_signed_root(
    platform: Platform, certificates: list[Certificate]
) -> None:
    await platform["ledger"].delete_many({"position": {"$gt": 5}})
    assert "锚点记到第 7 条" in await found(platform)
    anchor = file(platform, "ledger").path
    anchor.write_bytes(anchor.read_bytes().splitlines(keepends=True)[0])
    await platform["audit_checks"].update_one({"_id": "ledger"}, {"$set": {"anchored": 4}})
    assert "已签名的根有 7 条，库里只有 5 条" in await found(platform)


async def test_all_later_entries_rewritten_are_found_by_key_by_anchor_and_by_the_signed_roots(
    platform: Platform, certificates: list[Certificate]
) -> None:
    await rewrite(platform, 2, with_key=False)
    assert "第 2 条断开" in await found(platform), "who has no key"
    await rewrite(platform, 2, with_key=True)
    assert "第 4 条与锚点记下的不同" in await found(platform), "who has the key"
    await forge_anchor(platform)
    assert "前 4 条在签名以后被改写过" in await found(platform), "who has the anchor as well"


@pytest.mark.parametrize("anchored", [True, False])
async def test_a_root_that_is_forged_or_taken_away_with_the_ledger_is_missed(
    platform: Platform, certificates: list[Certificate], anchored: bool
) -> None:
    await rewrite(platform, 2, with_key=True)
    await forge_anchor(platform)
    if anchored:
        await platform["ledger_roots"].delete_many({})
        assert "前 4 条在签名以后被改写过" in await found(platform)
    else:
        file(platform, roots.ANCHORED_AS).path.unlink()
        rows = [row async for row in platform["ledger"].find({}).sort("position", 1)]
        tree = merkle.Growing()
        for row in rows[:4]:
            tree.add(merkle.leaf_hash(leaf_of(row)))
        forged = {"root": tree.root().hex()}
        await platform["ledger_roots"].update_one({"size": 4}, {"$set": forged})
        assert "不是本平台签名的" in await found(platform), "nobody signs it but the authority"
