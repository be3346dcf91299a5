"""Accounts of staff: the centre allocates them, each unit looks after its own (article 25.1); and which role may do what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import PROVINCE_OPTIONS
from admin.paging import Way
from server.accounts import staff
from server.accounts.documents import Account, AccountFilter
from server.accounts.staff import AccountDraft, ColleagueDraft
from server.institutions import service as institutions
from server.institutions.account_sheet import STAFF_ROLES
from server.kernel.errors import Problem
from server.kernel.identity import Role
from server.kernel.permissions import CHAPTERS, ROLE_PERMISSIONS, Permission, holds
from server.kernel.web import Route, allow

PAGE_SIZE = 50
ROLE_OPTIONS = [(role.value, role.label) for role in STAFF_ROLES]
STATE_OPTIONS = [("active", "正常使用"), ("left", "已停用")]


class AccountQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    role: Annotated[str, Field(max_length=40)] = ""
    state: Annotated[str, Field(pattern=r"^(active|left)$")] = ""
    way: Annotated[str, Field(max_length=2000)] = ""

    @property
    def conditions(self) -> dict[str, str]:
        return {"q": self.q.strip(), "role": self.role, "state": self.state}

    @property
    def narrowed(self) -> AccountFilter:
        deactivated = {"active": False, "left": True}.get(self.state)
        return AccountFilter(role=self.role, words=self.q.strip(), deactivated=deactivated)


class AccountHandler(PageHandler):
    @property
    def may_allocate(self) -> bool:
        return holds(self.actor, Permission.ACCOUNTS_ALLOCATE)

    async def places(self, accounts: Sequence[Account]) -> dict[str, str]:
        """Institution code → its name, of those that the actor sees."""
        if not any(one.institution_code for one in accounts):
            return {}
        return {one.id: one.name for one in await institutions.list_institutions(self.platform, self.actor)}


class AccountList(AccountHandler):
    @allow(Permission.ACCOUNTS_STAFF)
    async def get(self) -> None:
        query = self.query(AccountQuery)
        way = Way.read("/admin/accounts", query.conditions, query.way)
        found = await staff.accounts(
            self.platform, self.actor, query.narrowed, after_id=way.cursor, limit=PAGE_SIZE + 1
        )
        rows = found[:PAGE_SIZE]
        self.render_page(
            "accounts/list.html",
            accounts=rows,
            institution_names=await self.places(rows),
            query=query,
            roles=ROLE_OPTIONS,
            states_offered=STATE_OPTIONS,
            may_allocate=self.may_allocate,
            alone=await staff.is_alone(self.platform, self.actor),
            now=self.platform.clock.now(),
            previous=way.previous,
            next=way.next(rows[-1].id) if len(found) > PAGE_SIZE else None,
        )


class Allocate(AccountHandler):
    """The centre gives anybody an account; others give a colleague of the own unit one like their own."""

    @allow(Permission.ACCOUNTS_STAFF)
    async def get(self) -> None:
        chosen = {"institution_code": self.get_query_argument("institution", "")}
        await self._show(NO_ERRORS | {"values": chosen})

    @allow(Permission.ACCOUNTS_STAFF, rate="30/minute")
    async def post(self) -> None:
        try:
            if self.may_allocate:
                draft = self.form(AccountDraft)
                account, password = await institutions.allocate_account(self.platform, self.actor, draft)
            else:
                account, password = await staff.add_colleague(
                    self.platform, self.actor, self.form(ColleagueDraft)
                )
        except Problem as problem:
            return await self._show(self.refuse(problem))
        return self.render_page("accounts/first_password.html", account=account, password=password, new=True)

    async def _show(self, outcome: dict[str, Any]) -> None:
        found = await institutions.list_institutions(self.platform, self.actor) if self.may_allocate else []
        self.render_page(
            "accounts/new.html",
            may_allocate=self.may_allocate,
            roles=ROLE_OPTIONS,
            provinces=PROVINCE_OPTIONS,
            institutions=[
                (name, [(one.id, f"{one.id} {one.name}") for one in found if one.province_code == code])
                for code, name in PROVINCE_OPTIONS
            ],
            **outcome,
        )


class ResetPassword(AccountHandler):
    @allow(Permission.ACCOUNTS_STAFF)
    async def get(self, account_id: str) -> None:
        account = await staff.get_account(self.platform, self.actor, account_id)
        self.render_page("accounts/reset.html", account=account)

    @allow(Permission.ACCOUNTS_STAFF, rate="30/minute")
    async def post(self, account_id: str) -> None:
        account, password = await staff.reset_password(self.platform, self.actor, account_id)
        self.render_page("accounts/first_password.html", account=account, password=password, new=False)


class ReasonForm(BaseModel):
    reason: Annotated[str, Field(title="理由", min_length=2, max_length=500)]


class ActionHandler(AccountHandler):
    """An action on one account that needs a reason: a dialog which the list fetches, and what it posts."""

    template: str

    async def show(self, account_id: str, outcome: dict[str, Any]) -> None:
        account = await staff.get_account(self.platform, self.actor, account_id)
        names = await self.places([account])
        place = names.get(account.institution_code or "", "")
        self.render_page(self.template, account=account, place=place, **outcome)


class Deactivate(ActionHandler):
    template = "accounts/deactivate.html"

    @allow(Permission.ACCOUNTS_STAFF)
    async def get(self, account_id: str) -> None:
        await self.show(account_id, NO_ERRORS)

    @allow(Permission.ACCOUNTS_STAFF)
    async def post(self, account_id: str) -> None:
        try:
            reason = self.form(ReasonForm).reason
            account = await staff.deactivate(self.platform, self.actor, account_id, reason)
        except Problem as problem:
            return await self.show(account_id, self.refuse(problem))
        self.flash(f"{account.name}（{account.username}）的账号已停用，所有登录已退出。")
        return self.see_other("/admin/accounts")


class Reactivate(ActionHandler):
    template = "accounts/reactivate.html"

    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def get(self, account_id: str) -> None:
        await self.show(account_id, NO_ERRORS)

    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def post(self, account_id: str) -> None:
        try:
            reason = self.form(ReasonForm).reason
            account, password = await staff.reactivate(self.platform, self.actor, account_id, reason)
        except Problem as problem:
            return await self.show(account_id, self.refuse(problem))
        return self.render_page("accounts/first_password.html", account=account, password=password, new=True)


class ResetSecondFactor(ActionHandler):
    template = "accounts/reset_second_factor.html"

    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def get(self, account_id: str) -> None:
        await self.show(account_id, NO_ERRORS)

    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def post(self, account_id: str) -> None:
        try:
            reason = self.form(ReasonForm).reason
            account = await staff.reset_second_factor(self.platform, self.actor, account_id, reason)
        except Problem as problem:
            return await self.show(account_id, self.refuse(problem))
        self.flash(f"{account.name}（{account.username}）的两步验证已重置，所有登录已退出。")
        return self.see_other("/admin/accounts")


class Rights(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        order = list(CHAPTERS.values())
        permissions = [one for one in Permission if one not in (Permission.ANYONE, Permission.PHONE)]
        permissions.sort(key=lambda one: order.index(one.chapter))
        self.render_page(
            "accounts/rights.html",
            roles=list(Role),
            mine=self.actor.roles,
            total=len(permissions),
            chapters=[
                (chapter, [(one, {role for role in Role if one in ROLE_PERMISSIONS[role]}) for one in group])
                for chapter, group in groupby(permissions, key=lambda one: one.chapter)
            ],
        )


_ACCOUNT = r"/admin/accounts/(?P<account_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/admin/accounts", AccountList),
    (r"/admin/accounts/new", Allocate),
    (rf"{_ACCOUNT}/reset", ResetPassword),
    (rf"{_ACCOUNT}/deactivate", Deactivate),
    (rf"{_ACCOUNT}/reactivate", Reactivate),
    (rf"{_ACCOUNT}/second-factor", ResetSecondFactor),
    (r"/admin/rights", Rights),
]
