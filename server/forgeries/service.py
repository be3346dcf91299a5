"""Anybody reports; issuer, province and centre work on it; the reporter asks how it stands by a code that only they have."""

from __future__ import annotations

import base64
import hmac
from datetime import date
from functools import partial
from typing import Annotated

from bson.binary import Binary
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pymongo.errors import DuplicateKeyError

from server.certificates import service as certificates
from server.certificates.rules import is_number, parse_number
from server.forgeries import rules, store
from server.forgeries.documents import Forgery, ForgeryFilter, Referral, Standing, standing
from server.forgeries.rules import Action, Outcome, State
from server.institutions import service as institutions
from server.institutions.documents import Institution
from server.kernel import hostile, pictures, public_questions, puzzles
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.identity import ANYBODY, Actor
from server.kernel.numbers import AS_CERTIFICATE_NUMBER, without_whole_numbers
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from server.kernel.reasons import OptionalReason, Reason, readable, says_something
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

PAGE = "/admin/forgeries"
_MISREAD = str.maketrans("018", "OIB")
"""Digits that a code does not have, and what they are taken for."""
REPORT_RATE = "10/minute"
ASK_RATE = "30/minute"

hostile.reads_here(pictures.__name__)

Shown = BeforeValidator(readable)
ShortLine = Annotated[str, Field(max_length=60), Shown, AfterValidator(without_whole_numbers)]


class Report(BaseModel):
    """`nonce` was given with the form: the same form sent twice is one report."""

    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    number: Annotated[ShortLine, AS_CERTIFICATE_NUMBER, Field(title="证书编号")] = ""
    issuer: Annotated[ShortLine, Field(title="发证机构")] = ""
    description: Annotated[
        str,
        Field(title="情况说明", min_length=10, max_length=1000),
        Shown,
        AfterValidator(says_something),
        AfterValidator(without_whole_numbers),
    ]
    """Whole ID numbers are cut to their last four: nobody needs them here."""
    contact: Annotated[str, Field(title="联系方式", max_length=100), Shown] = ""


class Findings(Review):
    """Of the institution that is said to have issued the certificate."""

    reason: Annotated[Reason, Field(title="核实情况")]


class Assignment(Review):
    institution: Annotated[str, Field(title="发证机构", pattern=r"^[0-9]{3}$")]


class Conclusion(Review):
    outcome: Annotated[Outcome, Field(title="结论")]
    reason: Annotated[Reason, Field(title="认定的依据")]
    reply: Annotated[OptionalReason, Field(title="答复举报人")] = ""


class ReferralDraft(Review):
    on: Annotated[date, Field(title="移送日期")]
    authority: Annotated[str, Field(title="接收机关", min_length=2, max_length=60), Shown]
    document_number: Annotated[str, Field(title="移送文号", min_length=2, max_length=60), Shown]


class ReportedAlready(Conflict):
    slug = "report-received"
    title = "这张举报表已经提交过"


# ---- the public


async def report(platform: Platform, asker: Asker, wanted: Report, picture: bytes) -> str:
    """Takes a report and gives the code by which its reporter asks for it; sent again, it is the same report and the same code.

    A report costs what a question that finds nothing costs, so that nobody sends them by the thousand. Raises TooManyRequests,
    PuzzleNeeded, PictureRefused, FileUnreadable; ReportedAlready for another report with the same form.
    """
    pictures.check_size(picture)
    code = _code(platform, wanted.nonce)
    receipt = _receipt(platform, code)
    if here := await store.by_receipt(platform, receipt):
        return _same(here, wanted, code)
    asked = {"report": asker.address, "nonce": wanted.nonce}
    await public_questions.admit(platform, asker, asked, repeats_cost=True)
    read = partial(pictures.redrawn, picture)
    drawn = await hostile.read_apart(platform, hostile.stranger(asker.address), read) if picture else None
    try:
        await _receive(platform, ANYBODY, wanted, drawn, receipt)
    except DuplicateKeyError:  # it came twice at once
        here = await store.by_receipt(platform, receipt)
        return _same(here, wanted, code) if here else code
    return code


def _same(here: Forgery, wanted: Report, code: str) -> str:
    """The code of a report that is here already. Raises ReportedAlready where another was written on the same form."""
    if (here.certificate_number, here.description) != (wanted.number, wanted.description):
        raise ReportedAlready(
            f"这张举报表已经提交过，回执码 {code}；这次填写的内容与上次不同，没有收下。另有情况请重新打开举报页，再提交一件。"
        )
    return code


@transactional
async def _receive(unit: UnitOfWork, wanted: Report, picture: bytes | None, receipt: str) -> None:
    issuer = await _issuer(unit, wanted)
    contact: list[Binary] = []
    if wanted.contact:
        contact = await unit.platform.vault.encrypt_random([wanted.contact])
    new = Forgery(
        institution_code=issuer.id if issuer else "",
        institution_name=issuer.name if issuer else wanted.issuer,
        province_code=issuer.province_code if issuer else "",
        certificate_number=wanted.number,
        certificate_id=await certificates.numbered(unit, wanted.number) or "",
        description=wanted.description,
        pictured=picture is not None,
        contact=contact[0] if contact else None,
        receipt=receipt,
        received_at=unit.now,
        history=[step(unit, Action.REPORT)],
    )
    await store.insert(unit, new, picture)
    for said in new.tells(new.history[-1]):
        unit.tell(said)
    unit.audit("forgeries:report", new.id, number=new.certificate_number)


async def _issuer(scope: Scope, wanted: Report) -> Institution | None:
    """By the number on the paper, else by the name; a forger may have made up either."""
    if is_number(wanted.number):
        found = await institutions.numbered(scope, parse_number(wanted.number).institution_code)
        if found is not None:
            return found
    return await institutions.called(scope, wanted.issuer) if wanted.issuer else None


async def ask(platform: Platform, asker: Asker, code: str) -> Standing:
    """How a report stands, for whoever has its code. Nobody guesses one, so there is no puzzle. Raises NotFound, TooManyRequests."""
    await public_questions.check_address(platform, asker.address)
    plain = "".join(one for one in code.upper() if one.isalnum()).translate(_MISREAD)
    found = await store.by_receipt(platform, _receipt(platform, plain))
    if found is None:
        await public_questions.missed(platform, asker.address)
        raise NotFound("没有这个回执码。请核对 16 位字母和数字，不区分大小写。")
    return standing(found)


def _code(platform: Platform, nonce: str) -> str:
    """Sixteen characters of base32: 80 bits that depend on our secret."""
    made = hmac.digest(puzzles.secret(platform, "receipt of a report"), nonce.encode(), "sha256")
    return base64.b32encode(made[:10]).decode()


def _receipt(platform: Platform, code: str) -> str:
    return hmac.digest(puzzles.secret(platform, "code of a report"), code.encode(), "sha256").hex()


# ---- the offices


async def forgery(scope: Scope, actor: Actor, forgery_id: str) -> Forgery:
    """A report in the actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, forgery_id)
    if found is None:
        raise NotFound("没有这件举报，或不在您的管理范围内。")
    return found


async def list_forgeries(
    platform: Platform,
    actor: Actor,
    narrowed: ForgeryFilter,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[Forgery]:
    """The reports in the actor's jurisdiction, newest first."""
    return await store.forgeries(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def picture(platform: Platform, actor: Actor, forgery_id: str) -> Download:
    """Raises NotFound."""
    await forgery(platform, actor, forgery_id)
    content = await store.picture(platform, forgery_id)
    if content is None:
        raise NotFound("这件举报没有附图片。")
    return Download.of(f"举报图片-{forgery_id}.jpg", "image/jpeg", content)


@transactional
async def contact(unit: UnitOfWork, forgery_id: str) -> str:
    """How to reach the reporter: not for the issuer, which may be what is reported. The look is noted. Raises NotFound, NotYours."""
    found = await forgery(unit, unit.actor, forgery_id)
    rules.STEPS.require_right(Action.CONFIRM, unit.actor.roles)
    if found.contact is None:
        raise NotFound("举报人没有留下联系方式。")
    [opened] = await unit.platform.vault.decrypt([found.contact])
    unit.audit("forgeries:look-at-contact", found.id)
    return opened


@transactional
async def answer(unit: UnitOfWork, forgery_id: str, wanted: Findings) -> Forgery:
    """The issuer says what it has found; it may add to that until there is a conclusion."""
    found = await forgery(unit, unit.actor, forgery_id)
    done = await take(unit, rules.STEPS, found, Action.ANSWER, wanted.reason, seen=wanted.seen)
    unit.audit("forgeries:answer", found.id)
    return done


@transactional
async def assign(unit: UnitOfWork, forgery_id: str, wanted: Assignment) -> Forgery:
    """The centre has found out who is meant, or that somebody else is: from now on it is theirs and their province's."""
    found = await forgery(unit, unit.actor, forgery_id)
    rules.STEPS.require_right(Action.ASSIGN, unit.actor.roles)
    issuer = await institutions.institution(unit, unit.actor, wanted.institution)
    changes = {
        "institution_code": issuer.id,
        "institution_name": issuer.name,
        "province_code": issuer.province_code,
    }
    done = await take(unit, rules.STEPS, found, Action.ASSIGN, issuer.name, seen=wanted.seen, changes=changes)
    unit.audit("forgeries:assign", found.id, institution=issuer.id)
    return done


@transactional
async def take_up(unit: UnitOfWork, forgery_id: str, wanted: Review) -> Forgery:
    """Without waiting for the issuer, or where there is none to be asked."""
    found = await forgery(unit, unit.actor, forgery_id)
    done = await take(unit, rules.STEPS, found, Action.TAKE_UP, wanted.comment, seen=wanted.seen)
    unit.audit("forgeries:take-up", found.id)
    return done


@transactional
async def conclude(unit: UnitOfWork, forgery_id: str, wanted: Conclusion) -> Forgery:
    """属实, 不属实 or 无法核实, with what it rests on; the reporter reads the reply."""
    found = await forgery(unit, unit.actor, forgery_id)
    done = await take(
        unit,
        rules.STEPS,
        found,
        Action(wanted.outcome.value),
        wanted.reason,
        seen=wanted.seen,
        changes={"open": False, "reply": wanted.reply},
    )
    unit.audit("forgeries:conclude", found.id, status=done.state.label, reason=wanted.reason)
    return done


@transactional
async def refer(unit: UnitOfWork, forgery_id: str, wanted: ReferralDraft) -> Forgery:
    """Notes that the papers were handed over: when, to whom, under which number."""
    found = await forgery(unit, unit.actor, forgery_id)
    rules.require_day(wanted.on, beijing_date(found.received_at), beijing_date(unit.now))
    referral = Referral(on=wanted.on, authority=wanted.authority, document_number=wanted.document_number)
    words = f"{referral.on} 移送{referral.authority}，文号 {referral.document_number}"
    done = await take(
        unit, rules.STEPS, found, Action.REFER, words, seen=wanted.seen, changes={"referral": referral}
    )
    unit.audit("forgeries:refer", found.id, number=referral.document_number)
    return done


@transactional
async def reopen(unit: UnitOfWork, forgery_id: str, wanted: Return) -> Forgery:
    """What was concluded is looked into again; the reply to the reporter is withdrawn with it."""
    found = await forgery(unit, unit.actor, forgery_id)
    changes = {"open": State.CHECKING.open, "reply": ""}
    done = await take(
        unit, rules.STEPS, found, Action.REOPEN, wanted.reason, seen=wanted.seen, changes=changes
    )
    unit.audit("forgeries:reopen", found.id, reason=wanted.reason)
    return done


@transactional
async def unrefer(unit: UnitOfWork, forgery_id: str, wanted: Return) -> Forgery:
    """The entry was wrong: another paper, or none. The history keeps it."""
    found = await forgery(unit, unit.actor, forgery_id)
    done = await take(
        unit, rules.STEPS, found, Action.UNREFER, wanted.reason, seen=wanted.seen, changes={"referral": None}
    )
    unit.audit("forgeries:unrefer", found.id, reason=wanted.reason)
    return done
