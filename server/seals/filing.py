"""An institution files its seal, its province reviews it, and it is put out of use (article 17: 加盖印章; article 18: 谁发证、谁负责)."""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel
from pymongo.errors import DuplicateKeyError

from server.institutions import service as institutions
from server.institutions.documents import Institution
from server.kernel import hostile
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import replace, take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.seals import images, rules, store
from server.seals.documents import Seal
from server.seals.images import Picture
from server.seals.rules import Action, State

hostile.reads_here(images.__name__)


class AlreadyFiled(Conflict):
    slug = "seal-already-filed"
    title = "已有待审核的印章"
    default_detail = "本机构已有一版印章待省级管理部门审核。请等审核办结，或先撤回那一版，再报送新的。"


class Retirement(BaseModel):
    reason: Reason


async def file(platform: Platform, actor: Actor, institution_code: str, content: bytes) -> Seal:
    """Files a version of the own seal. Raises FileUnreadable with what is wrong, AlreadyFiled."""
    institution = await institutions.institution(platform, actor, institution_code)
    rules.STEPS.require_right(Action.FILE, actor.roles)
    picture = await hostile.read_apart(
        platform,
        hostile.whose(actor),
        partial(images.read_picture, content),
        otherwise="请把印章图片缩小或简化后重新上传。",
    )
    try:
        return await _file(platform, actor, institution, picture)
    except DuplicateKeyError:
        raise AlreadyFiled() from None


@transactional
async def _file(unit: UnitOfWork, institution: Institution, picture: Picture) -> Seal:
    earlier = await store.seals_of(unit, unit.actor.jurisdiction, institution.id, limit=1)
    new = Seal(
        institution_code=institution.id,
        institution_name=institution.name,
        province_code=institution.province_code,
        version=earlier[0].version + 1 if earlier else 1,
        media_type=picture.media_type,
        content=picture.content,
        size=picture.size,
        cleared=picture.cleared,
        uploaded=picture.uploaded,
        history=[step(unit, Action.FILE)],
    )
    await store.insert_seal(unit, new)
    unit.audit("seals:file", new.id, version=new.version)
    return new


@transactional
async def approve(unit: UnitOfWork, seal_id: str, wanted: Review) -> Seal:
    """It is pressed on what is issued from now on; the version before it stays on what was issued with it."""
    found = await seal(unit, unit.actor, seal_id)
    rules.STEPS.require_right(Action.APPROVE, unit.actor.roles)
    before = await store.in_force(unit, found.institution_code)
    if before:
        as_platform = step(unit, Action.REPLACE)
        over = {
            "state": State.REPLACED,
            "in_force": False,
            "history": [*before.history, as_platform],
        }
        if not await replace(unit, before, before.model_copy(update=over)):
            raise rules.STEPS.overtaken()
    changes = {"open": False, "in_force": True}
    done = await take(
        unit, rules.STEPS, found, Action.APPROVE, wanted.comment, seen=wanted.seen, changes=changes
    )
    unit.audit("seals:approve", found.id, version=found.version)
    return done


@transactional
async def send_back(unit: UnitOfWork, seal_id: str, wanted: Return) -> Seal:
    """The institution reads why and files another version; what was in force stays so."""
    found = await seal(unit, unit.actor, seal_id)
    done = await take(
        unit,
        rules.STEPS,
        found,
        Action.RETURN,
        wanted.reason,
        seen=wanted.seen,
        changes={"open": False},
    )
    unit.audit("seals:return", found.id, version=found.version, reason=wanted.reason)
    return done


@transactional
async def withdraw(unit: UnitOfWork, seal_id: str) -> Seal:
    """The institution takes a version back before the province has decided."""
    found = await seal(unit, unit.actor, seal_id)
    done = await take(unit, rules.STEPS, found, Action.WITHDRAW, changes={"open": False})
    unit.audit("seals:withdraw", found.id, version=found.version)
    return done


@transactional
async def retire(unit: UnitOfWork, seal_id: str, wanted: Retirement) -> Seal:
    """What is issued from now on is 未盖章 until another version is approved; what was issued keeps its seal."""
    found = await seal(unit, unit.actor, seal_id)
    done = await take(unit, rules.STEPS, found, Action.RETIRE, wanted.reason, changes={"in_force": False})
    unit.audit("seals:retire", found.id, version=found.version, reason=wanted.reason)
    return done


# ---- reading


async def seal(scope: Scope, actor: Actor, seal_id: str) -> Seal:
    """Raises NotFound outside the actor's jurisdiction."""
    found = await store.seal_in_reach(scope, actor.jurisdiction, seal_id)
    if found is None:
        raise NotFound("没有这一版印章，或不在您的管理范围内。")
    return found


async def seals_of(scope: Scope, actor: Actor, institution_code: str) -> list[Seal]:
    """The versions of an institution in the actor's jurisdiction, newest first."""
    return await store.seals_of(scope, actor.jurisdiction, institution_code)


async def image(platform: Platform, actor: Actor, seal_id: str) -> Download:
    found = await seal(platform, actor, seal_id)
    return Download.of(f"{found.named}.png", found.media_type, found.content)


async def list_seals(
    platform: Platform,
    actor: Actor,
    *,
    words: str = "",
    state: State | None = None,
    province_code: str = "",
    before: str | None = None,
    limit: int = 20,
) -> list[Seal]:
    """Those in the actor's jurisdiction, newest first."""
    return await store.seals(
        platform, actor.jurisdiction, words, state, province_code, before=before, limit=limit
    )
