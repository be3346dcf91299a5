"""Accounts in bulk (article 25.1): a sheet is read and shown, then allocated as a whole, and its first passwords go out once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pymongo.errors import DuplicateKeyError

from server.accounts import staff
from server.accounts import store as accounts_store
from server.accounts.documents import Account, AccountBatch, BatchProblem, BatchRow, BatchState
from server.accounts.passwords import hash_passwords, new_password
from server.accounts.staff import AccountDraft
from server.institutions import account_sheet, store
from server.institutions.account_sheet import AccountSheet, Column
from server.institutions.rules import QualificationKind
from server.kernel import hostile
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import INSTITUTION_ROLES, Actor, Jurisdiction
from server.kernel.platform import Platform
from server.kernel.spreadsheets import XLSX
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

PREVIEW_LIFE = timedelta(days=1)

hostile.reads_here(account_sheet.__name__)


class BatchHasProblems(Conflict):
    slug = "account-batch-has-problems"
    title = "账号表有问题"
    default_detail = "表里有需要改正的地方，一个账号都没有分配。请改正后重新上传。"


class BatchConfirmed(Conflict):
    slug = "account-batch-confirmed"
    title = "这份账号表已经分配"
    default_detail = "这份账号表已经分配，初始密码只给出一次。没有收到的，可以为还没有登录的账号重新生成。"


async def template(platform: Platform, actor: Actor) -> Download:
    """The sheet to fill in, with every institution to choose from."""
    institutions = await store.institutions(platform, Jurisdiction.everything())
    content = await asyncio.to_thread(account_sheet.template, institutions)
    return Download.of("账号分配模板.xlsx", XLSX, content)


async def preview(platform: Platform, actor: Actor, file_name: str, content: bytes) -> AccountBatch:
    """Reads a sheet of accounts and keeps what it found for a day; nobody gets an account yet. Raises SheetUnreadable."""
    now = platform.clock.now()
    institutions = await store.institutions(platform, Jurisdiction.everything())
    read = await hostile.read_apart(
        platform,
        hostile.whose(actor),
        partial(account_sheet.read_accounts, content, institutions, today=beijing_date(now)),
    )
    taken = await _taken(platform, read)
    given_before = {one.row for one in taken}
    batch = AccountBatch(
        file_name=file_name[:200],
        state=BatchState.PREVIEW,
        rows=[row for row in read.rows if row.row not in given_before],
        problems=sorted((*read.problems, *taken), key=lambda one: one.row),
        created_at=now,
        created_by=actor.name,
        expires_at=platform.machine.now() + PREVIEW_LIFE,
    )
    await _keep(platform, actor, batch)
    return batch


async def _taken(platform: Platform, read: AccountSheet) -> list[BatchProblem]:
    taken = await staff.taken(platform, [row.username for row in read.rows])
    return [
        BatchProblem(
            row=row.row,
            letters=read.letters[Column.USERNAME],
            column=Column.USERNAME.title,
            name=row.name,
            message="这个用户名已被使用（停用的账号也不再分配），请换一个。",
        )
        for row in read.rows
        if row.username in taken
    ]


@transactional
async def _keep(unit: UnitOfWork, batch: AccountBatch) -> None:
    await accounts_store.insert_batch(unit, batch)
    unit.audit("accounts:preview-batch", batch.id, rows=len(batch.rows), problems=len(batch.problems))


async def get_batch(scope: Scope, batch_id: str) -> AccountBatch:
    """An uploaded sheet. Raises NotFound, also when it has expired."""
    found = await accounts_store.batch(scope, batch_id, scope.platform.machine.now())
    if found is None:
        raise NotFound("没有这份账号表，或预览已超过一天失效。请重新上传。")
    return found


async def confirm(platform: Platform, actor: Actor, batch_id: str) -> list[tuple[Account, str]]:
    """Allocates all accounts of a sheet or none; each with its first password, which is told this once and stored as a hash only.

    The hashing comes before the transaction and takes its time: see passwords.hash_passwords. Raises BatchHasProblems when a row had
    a problem or has one by now, BatchConfirmed, NotFound.
    """
    batch = await get_batch(platform, batch_id)
    if batch.state is BatchState.CONFIRMED:
        raise BatchConfirmed()
    if batch.problems or not batch.rows:
        raise BatchHasProblems()
    passwords = [new_password() for _ in batch.rows]
    drafts = [_draft(row) for row in batch.rows]
    new = staff.new_accounts(platform, drafts, await hash_passwords(passwords))
    try:
        await _confirm(platform, actor, batch, new)
    except DuplicateKeyError:
        raise BatchHasProblems(
            "上传以后，表里有用户名被别人用了，一个账号都没有分配。请重新上传核对。"
        ) from None
    return list(zip(new, passwords, strict=True))


def _draft(row: BatchRow) -> AccountDraft:
    return AccountDraft.model_validate(row.model_dump(exclude={"row"}))


@transactional
async def _confirm(unit: UnitOfWork, batch: AccountBatch, new: Sequence[Account]) -> None:
    if not await accounts_store.confirm_batch(unit, batch.id, unit.now):
        raise BatchConfirmed()
    today = beijing_date(unit.now)
    for code in sorted({one.institution_code for one in new if one.institution_code}):
        institution = await store.institution(unit, Jurisdiction.everything(), code)
        roles = {one.role for one in new if one.institution_code == code and one.role in INSTITUTION_ROLES}
        if institution is None or not all(
            institution.holds(QualificationKind(role.value), today) for role in roles
        ):
            raise BatchHasProblems("上传以后，有培训机构的资格变了，一个账号都没有分配。请重新上传核对。")
    await staff.insert_accounts(unit, new)
    unit.audit("accounts:allocate-batch", batch.id, accounts=len(new))


async def reissue(platform: Platform, actor: Actor, batch_id: str) -> list[tuple[Account, str]]:
    """For a sheet of passwords that never arrived: new ones for those accounts of the batch that nobody has taken over yet.

    Raises NotFound, also when everybody has.
    """
    batch = await get_batch(platform, batch_id)
    if batch.state is not BatchState.CONFIRMED:
        raise BatchHasProblems("这份账号表还没有确认分配。")
    return await staff.renew_first_passwords(platform, actor, [row.username for row in batch.rows])
