"""The signed root of each day, and the proofs under it: what the ledger said then, nobody can make it say otherwise later.

Whoever has the database and the key of the chain can seal a ledger anew, and who has the anchor too can anchor it. But each day the whole
ledger is read into a tree (merkle.py) and its root is signed by the platform's authority and published: a root that anybody has kept
contradicts every later ledger that does not begin with the same entries.
"""

from __future__ import annotations

import base64
import logging
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence, Set

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pymongo.errors import DuplicateKeyError

from server.kernel import chain
from server.kernel.anchor import Head, anchor_of
from server.kernel.chain import KEEP, ChainBroken, Checked
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.ledger import merkle, store
from server.ledger.documents import (
    CHAIN,
    ConsistencyProof,
    EntryKind,
    InclusionProof,
    LedgerRoot,
    SignedRoot,
    leaf_of,
)
from server.ledger.merkle import Growing, Node, Span
from server.seals import authority

log = logging.getLogger("platform.ledger")

ANCHORED_AS = "ledger-roots"
NODES_AT_ONCE = 2_000
SHOWN = 30


# ---- the nightly reading


class Reading:
    """The tree as it grows while the chain is read, against the roots of before."""

    def __init__(self, platform: Platform, known: Mapping[int, set[str]], kept: int) -> None:
        self.tree = Growing()
        self.contradicted = 0
        """The size of the first signed or anchored tree that this one does not agree with."""
        self._platform, self._known, self._kept = platform, known, kept
        self._new: list[tuple[Node, bytes]] = []

    async def add(self, entry: Row) -> None:
        done = self.tree.add(merkle.leaf_hash(leaf_of(entry)))
        size = self.tree.size
        if size in self._known and self._known[size] != {self.tree.root().hex()}:
            self.contradicted = self.contradicted or size
        if size > self._kept and not self.contradicted:
            self._new += done
            if len(self._new) >= NODES_AT_ONCE:
                await self.flush()

    async def flush(self) -> None:
        await store.keep_nodes(self._platform, self._new)
        self._new = []


async def check_and_sign(platform: Platform) -> Counts:
    """Reads the whole ledger against its chain, its anchor and all signed roots, and signs the root of this day.

    Raises ChainBroken, which fails the run, until the ledger is restored: a ledger in doubt is not signed.
    """
    signed = await store.roots(platform)
    entries, broken, reading = await _read(platform, signed)
    await chain.note(platform, CHAIN, checked_at=platform.clock.now(), entries=entries, broken=broken)
    if broken:
        raise ChainBroken(broken)
    await reading.flush()
    return {"校验": entries, "签名": await _sign(platform, reading.tree)}


async def _read(platform: Platform, signed: Sequence[LedgerRoot]) -> tuple[int, str, Reading]:
    known: dict[int, set[str]] = {}
    for one in signed:
        known.setdefault(one.size, set()).add(one.root)
    kept = max(known, default=0)
    anchored, unreadable = await _anchored(platform)
    for head in anchored:
        known.setdefault(head.position, set()).add(head.seal)
    reading = Reading(platform, known, kept)
    entries, broken = await chain.follow(platform, CHAIN, reading.add)
    broken = broken or unreadable or await _forged(platform, signed)
    if not broken and reading.contradicted:
        size = reading.contradicted
        broken = f"证书台账与已签名的根不符：前 {size} 条在签名以后被改写过。{KEEP}"
    if not broken and max(known, default=0) > entries:
        broken = f"证书台账末尾缺失：已签名的根有 {max(known)} 条，库里只有 {entries} 条。{KEEP}"
    if missing := {head.seal for head in anchored} - {one.root for one in signed}:
        broken = broken or f"有 {len(missing)} 个已公布的签名根不在库中了。{KEEP}"
    return entries, broken, reading


async def _anchored(platform: Platform) -> tuple[list[Head], str]:
    """The roots as they stand outside the database: one a day."""
    try:
        async with anchor_of(platform.settings, ANCHORED_AS).heads() as heads:
            return list(heads), ""
    except OSError:
        log.exception("the anchor of the ledger's roots cannot be read")
        return [], "签名根的锚点读不到，无法核对。请检查锚点文件或地址（PLATFORM_AUDIT_ANCHOR）后重新校验。"


async def _forged(platform: Platform, signed: Sequence[LedgerRoot]) -> str:
    if not signed:
        return ""
    ours = await _authorities(platform)
    for one in reversed(signed):
        if not _is_ours(one, ours):
            return f"{one.id} 的签名根不是本平台签名的，或被改动过。{KEEP}"
    return ""


async def _authorities(platform: Platform) -> set[str]:
    return {one.strip() for one in await authority.ours(platform)}


def _is_ours(one: LedgerRoot, authorities: Set[str]) -> bool:
    return one.certificate.strip() in authorities and holds(one.published)


def holds(root: SignedRoot) -> bool:
    """Whether its signature is that of its certificate and it says what was signed."""
    try:
        key = x509.load_pem_x509_certificate(root.certificate.encode()).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        signature = base64.b64decode(root.signature, validate=True)
        key.verify(signature, root.statement.encode(), ec.ECDSA(hashes.SHA256()))
        said = orjson.loads(root.statement)
        return (said["day"], said["size"], said["root"]) == (root.day, root.size, root.root)
    except (InvalidSignature, BadBase64, ValueError, KeyError, TypeError):
        return False


async def _sign(platform: Platform, tree: Growing) -> int:
    """Once a day, as soon as there is an entry."""
    now = platform.machine.now()
    day = beijing_date(platform.clock.now()).isoformat()
    if not tree.size or await store.root_of_day(platform, day):
        return 0
    signer = await authority.authority(platform)
    said = {
        "ledger": platform.settings.home,
        "day": day,
        "size": tree.size,
        "root": tree.root().hex(),
        "signed_at": now.replace(microsecond=0),
    }
    statement = orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    new = LedgerRoot(
        id=day,
        size=tree.size,
        root=tree.root().hex(),
        statement=statement.decode(),
        signature=base64.b64encode(signer.sign(statement)).decode(),
        certificate=signer.certificate_pem,
        signed_at=now,
    )
    try:
        await store.add_root(platform, new)
    except DuplicateKeyError:  # another process was first
        return 0
    log.info("ledger root of %s over %d entries: %s", day, new.size, new.root)
    try:
        await anchor_of(platform.settings, ANCHORED_AS).append(Head(new.size, new.root), now)
    except OSError as error:
        log.warning("the anchor of the ledger's roots cannot be written: %s", error)
    return 1


# ---- what is shown and proven


async def published(platform: Platform, *, before: str | None = None, most: int = SHOWN) -> list[LedgerRoot]:
    """A page of signed roots, newest first; the next page is before the last of these. What somebody else has put among them, or has
    changed, is left out: the nightly check says so."""
    ours, found = await _authorities(platform), list[LedgerRoot]()
    while len(found) < most and (page := await store.roots(platform, before=before, limit=most)):
        found += [one for one in page if _is_ours(one, ours)]
        before = page[-1].id
    return found[:most]


async def state(platform: Platform) -> Checked:
    """When the whole ledger was read last, and what was wrong."""
    return await chain.state(platform, CHAIN)


async def proof_of(platform: Platform, certificate_id: str) -> InclusionProof | None:
    """That the newest entry which says whether a certificate is valid stands in the ledger of the latest signed root.

    None until the night after it was entered, and where what is stored does not lead to the root: the nightly check says why.
    """
    newest = await published(platform, most=1)
    if not newest:
        return None
    root = newest[0]
    entry = await store.newest_standing(platform, certificate_id, root.size)
    if entry is None:
        return None
    index = entry["position"] - 1
    leaf, path = b"", list[bytes]()
    try:
        leaf = leaf_of(entry)
        path = await _hashes(platform, merkle.inclusion_spans(index, root.size))
        reached = merkle.root_by_inclusion(merkle.leaf_hash(leaf), index, root.size, path)
    except (KeyError, TypeError, ValueError):
        reached = None
    if reached is None or reached.hex() != root.root:
        log.error("entry %s of the ledger does not lead to the signed root of %s", entry["_id"], root.id)
        return None
    return InclusionProof(
        kind=EntryKind(entry["kind"]).label,
        at=entry["at"],
        leaf=leaf.decode(),
        index=index,
        path=[one.hex() for one in path],
        signed_root=root.published,
    )


async def consistency(platform: Platform, earlier_day: str, later_day: str) -> ConsistencyProof:
    """Raises NotFound for days without a root, or in the wrong order."""
    ours = await _authorities(platform)
    earlier, later = (
        await store.root_of_day(platform, earlier_day),
        await store.root_of_day(platform, later_day),
    )
    if earlier is None or later is None or earlier.size > later.size:
        raise NotFound("这两天没有可以比对的签名根：请按先后填写两个公布过签名根的日期。")
    if not (_is_ours(earlier, ours) and _is_ours(later, ours)):
        raise NotFound("这两天没有可以比对的签名根：请按先后填写两个公布过签名根的日期。")
    path = await _hashes(platform, merkle.consistency_spans(earlier.size, later.size))
    return ConsistencyProof(
        earlier=earlier.published, later=later.published, path=[one.hex() for one in path]
    )


async def _hashes(platform: Platform, spans: Sequence[Span]) -> list[bytes]:
    """Raises KeyError for a node that is missing."""
    known = await store.nodes(platform, [node for span in spans for node in merkle.complete(span)])
    return [merkle.hash_of(span, known) for span in spans]
