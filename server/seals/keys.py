"""The keys that sign the certificates of an institution: its own, uploaded once and never shown again, or one that the platform issues."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated

from asn1crypto import x509
from pydantic import Field
from pymongo.errors import DuplicateKeyError

from server.institutions import service as institutions
from server.institutions.documents import Institution
from server.kernel import hostile, policies, seen
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, FileUnreadable, Forbidden, Invalid, NotFound
from server.kernel.identity import INSTITUTION_ROLES, Actor, system
from server.kernel.mongo import new_id
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.reasons import OptionalReason, Reason
from server.kernel.schedule import Counts
from server.kernel.seen import Saving
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Waiting
from server.seals import pkcs12, rules, sealing, store
from server.seals.authority import PLATFORM, RENEWED_BEFORE, authority
from server.seals.documents import SELF_SIGNED, KeyOrigin, KeyState, SigningKey, page_of, told_key_ends
from server.seals.inspecting import in_words
from server.seals.pkcs12 import ReadKey
from server.seals.rules import KeyRefused
from server.seals.signer import KeyUnusable

PLATFORM_SIGNS = system("platform-signing")
AUTHORITIES = (
    "人力资源和社会保障部",
    "人力资源和社会保障厅",
    "人力资源和社会保障局",
    "人力资源社会保障",
    "教育部",
)
"""Who oversees institutions: none of them signs for one."""
INSTITUTIONS_MOST = 1_000
"""Their codes have three digits (article 17)."""

hostile.reads_here(pkcs12.__name__)


class KeyNotInForce(Conflict):
    slug = "signing-key-not-in-force"
    title = "密钥已不在使用"
    default_detail = "这个密钥已经更换或停用。请刷新页面，看看现在使用的是哪一个。"


class NotYourKey(Forbidden):
    slug = "signing-key-not-yours"
    title = "这一步不由您办理"
    default_detail = "签名密钥由培训机构自己上传和停用（指南第十八条，谁发证、谁负责）。"


class KeyUpload(Saving):
    """`seen`: the key in force when the form was opened, or that there was none."""

    password: Annotated[str, Field(title="密码", max_length=200)] = ""
    reason: Annotated[OptionalReason, Field(title="更换理由")] = ""


class KeyWithdrawal(Saving):
    reason: Reason


async def opened(platform: Platform, key: SigningKey) -> bytes:
    """The private key, PKCS#8 in DER. Raises KeyUnusable where it has ended or cannot be opened."""
    if platform.machine.now() >= key.valid_to:
        raise KeyUnusable(
            f"本机构的签名证书已于 {key.valid_to:%Y-%m-%d} 到期，暂不能核发证书；已核发的证书和查验不受影响。"
            "请在“印章与签名”中上传续期后的证书，或停用它，由平台代签。"
        )
    return await sealing.opened(platform, key.id, key.key)


# ---- the institution's own


async def upload(
    platform: Platform, actor: Actor, institution_code: str, content: bytes, wanted: KeyUpload
) -> SigningKey:
    """Takes a PKCS#12 file, once: the key is tried, encrypted and never shown again; one in force before is replaced.

    Raises KeyRefused with what is wrong with it, ChangedMeanwhile, Invalid where a replacement has no reason.
    """
    institution = await institutions.institution(platform, actor, institution_code)
    if not INSTITUTION_ROLES & actor.roles:
        raise NotYourKey()
    if len(content) > pkcs12.UPLOADED_LARGEST:
        raise KeyRefused(
            f"文件超过 {pkcs12.UPLOADED_LARGEST // 1024} KB，不像是一个密钥文件。请检查后重新上传。"
        )
    read = await _read(platform, actor, content, wanted.password)
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    names = (institution.name, *institution.former_names)
    known = await institutions.institutions_after(platform, "", INSTITUTIONS_MOST)
    others = [PLATFORM, *AUTHORITIES, *(one.name for one in known if one.id != institution.id)]
    must_name = in_force.seal_key_names_institution
    rules.check_key(read.facts, platform.machine.now(), names, others, must_name=must_name)
    new = await _row(
        platform, institution, KeyOrigin.OWN, read.key, read.chain, read.facts.in_words, actor.name
    )
    try:
        return await _upload(platform, actor, new, wanted)
    except DuplicateKeyError:  # a colleague was first
        raise rules.STEPS.overtaken() from None


async def _read(platform: Platform, actor: Actor, content: bytes, password: str) -> ReadKey:
    try:
        return await hostile.read_apart(
            platform,
            hostile.whose(actor),
            partial(pkcs12.read_key, content, password),
            otherwise="请用证书软件以常用的参数重新导出 .p12 文件。",
        )
    except FileUnreadable as refusal:  # it took too much
        raise KeyRefused(refusal.detail) from None


@transactional
async def _upload(unit: UnitOfWork, new: SigningKey, wanted: KeyUpload) -> SigningKey:
    before = await store.current_key(unit, new.institution_code, KeyOrigin.OWN)
    await seen.require(unit, before, wanted.seen, subject=new.institution_code, what="签名密钥")
    if before:
        if not wanted.reason:
            raise Invalid(fields=[FieldError("reason", "请写明为什么更换现在使用的密钥。")])
        await _end(unit, before, KeyState.REPLACED, wanted.reason)
    await store.insert_key(unit, new)
    unit.audit("seals:upload-key", new.institution_code, key=new.id, until=_day(new), reason=wanted.reason)
    return new


@transactional
async def withdraw(unit: UnitOfWork, key_id: str, wanted: KeyWithdrawal) -> SigningKey:
    """The own key signs nothing more, for good, and the platform signs in its place; what it signed stays ours.

    Raises KeyNotInForce, NotYourKey, ChangedMeanwhile.
    """
    key = await store.key_in_reach(unit, unit.actor.jurisdiction, key_id)
    if key is None:
        raise NotFound("没有这个密钥，或不在您的管理范围内。")
    if not (INSTITUTION_ROLES & unit.actor.roles and key.own):
        raise NotYourKey()
    await seen.require(unit, key, wanted.seen, subject=key.institution_code, what="签名密钥")
    if not await _end(unit, key, KeyState.WITHDRAWN, wanted.reason):
        raise KeyNotInForce()
    unit.audit("seals:withdraw-key", key.institution_code, key=key.id, reason=wanted.reason)
    return key


# ---- what ends


async def watch(platform: Platform) -> Counts:
    """Each day: tells institutions early of the end of their own keys, and renews those that the platform issued."""
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    early = timedelta(days=in_force.seal_key_warning_days)
    reach = PLATFORM_SIGNS.jurisdiction
    ending = await store.ending_before(platform, reach, platform.machine.now() + max(early, RENEWED_BEFORE))
    told = renewed = 0
    for key in ending:
        if key.own:
            told += await _warn(platform, PLATFORM_SIGNS, key, early.days)
        else:
            await of_platform(platform, key.institution_code)
            renewed += 1
    return {"提醒到期": told, "续签": renewed}


@transactional
async def _warn(unit: UnitOfWork, key: SigningKey, early: int) -> bool:
    left = rules.days_left(key.valid_to, unit.platform.machine.now())
    due = rules.warning_due(left, key.warned, early)
    if due is None or not await store.change_key(unit, key, {"warned": due}):
        unit.nothing_written()
        return False
    unit.tell(told_key_ends(key, left))
    unit.audit("seals:warn-keys", key.institution_code, key=key.id, until=_day(key))
    return True


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """For the home page of an institution: its own key that ends soon, or has ended."""
    if not holds(actor, Permission.SEALS_MANAGE):
        return []
    today = beijing_date(platform.clock.now())
    early = timedelta(days=(await policies.on(platform, today)).seal_key_warning_days)
    ending = await store.ending_before(platform, actor.jurisdiction, platform.machine.now() + early)
    return [
        Waiting(
            f"证书签名密钥{'已' if ended else '将'}于 {_day(one)} 到期，请更换",
            page_of(one.institution_code),
            1,
            overdue=ended,
        )
        for one in ending
        if one.own
        for ended in [platform.machine.now() >= one.valid_to]
    ]


def _day(key: SigningKey) -> str:
    return beijing_date(key.valid_to).isoformat()


# ---- reading


async def own_key(scope: Scope, institution_code: str) -> SigningKey | None:
    """The institution's own key in force."""
    return await store.current_key(scope, institution_code, KeyOrigin.OWN)


async def keys_of(scope: Scope, actor: Actor, institution_code: str) -> Sequence[SigningKey]:
    """In the actor's jurisdiction, newest first."""
    return await store.keys_of(scope, actor.jurisdiction, institution_code)


async def usable(platform: Platform, key: SigningKey) -> str:
    """Why a key in force cannot be used, in words; empty when it can."""
    try:
        await opened(platform, key)
    except KeyUnusable as refusal:
        return refusal.detail
    return ""


# ---- what the platform issues


async def of_platform(platform: Platform, institution_code: str) -> SigningKey:
    """The key by which the platform signs for an institution that has none of its own; made at the first need and renewed in time."""
    found = await store.current_key(platform, institution_code, KeyOrigin.PLATFORM)
    if found and not ends_soon(platform, found, RENEWED_BEFORE):
        return found
    institution = await institutions.institution(platform, PLATFORM_SIGNS, institution_code)
    key, chain = (await authority(platform)).issue(institution.name, platform.machine.now())
    new = await _row(platform, institution, KeyOrigin.PLATFORM, key, chain, "P-256", PLATFORM_SIGNS.name)
    try:
        await _issue(platform, PLATFORM_SIGNS, new, found)
    except DuplicateKeyError:  # another process was first
        return await of_platform(platform, institution_code)
    return new


async def _row(
    platform: Platform,
    institution: Institution,
    origin: KeyOrigin,
    key: bytes,
    chain: Sequence[bytes],
    algorithm: str,
    made_by: str,
) -> SigningKey:
    row, fingerprint = new_id(), hashlib.sha256(chain[0])
    certificate = x509.Certificate.load(chain[0])
    valid = certificate["tbs_certificate"]["validity"]
    return SigningKey(
        id=row,
        institution_code=institution.id,
        province_code=institution.province_code,
        institution_name=institution.name,
        origin=origin,
        key=await sealing.seal(platform, row, key),
        chain=list(chain),
        fingerprint=fingerprint.hexdigest(),
        vouched=await sealing.seal(platform, row, fingerprint.digest()),
        subject=in_words(certificate),
        issuer=_issuer(certificate),
        algorithm=algorithm,
        valid_from=valid["not_before"].native,
        valid_to=valid["not_after"].native,
        made_at=platform.machine.now(),
        made_by=made_by,
    )


def _issuer(certificate: x509.Certificate) -> str:
    if certificate.issuer == certificate.subject:
        return SELF_SIGNED
    named = certificate.issuer.native
    return str(
        named.get("common_name") or named.get("organization_name") or certificate.issuer.human_friendly
    )


@transactional
async def _issue(unit: UnitOfWork, new: SigningKey, before: SigningKey | None) -> None:
    if before:
        await _end(unit, before, KeyState.REPLACED, "临近到期，平台续签")
    await store.insert_key(unit, new)
    unit.audit(
        "seals:issue-certificate", new.institution_code, key=new.id, until=new.valid_to.date().isoformat()
    )


async def _end(unit: UnitOfWork, key: SigningKey, state: KeyState, reason: str) -> bool:
    """Puts a key out of force for good: the private part is forgotten, the certificate stays. False when it was already."""
    changes = {
        "key": None,
        "state": state,
        "current": False,
        "ended_at": unit.platform.machine.now(),
        "ended_by": unit.actor.name,
        "reason": reason,
    }
    return await store.change_key(unit, key, changes)


def ends_soon(platform: Platform, key: SigningKey, early: timedelta) -> bool:
    return key.valid_to <= platform.machine.now() + early
