"""Accounts of staff, allocated by the centre (article 25.1), and which role may do what."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import PROVINCE_OPTIONS
from server.accounts import staff
from server.accounts.staff import AccountDraft
from server.institutions import service as institutions
from server.kernel.errors import Problem
from server.kernel.identity import Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.web import Route, allow

STAFF_ROLES = [
    (role.value, role.title)
    for role in (Role.NATIONAL_CENTRE, Role.PROVINCE, Role.TRAINING_CENTRE, Role.TRAINING_BASE)
]


class AccountQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    role: Annotated[str, Field(max_length=40)] = ""


class AccountList(PageHandler):
    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def get(self) -> None:
        query = self.query(AccountQuery)
        found = await institutions.list_institutions(self.platform, self.actor)
        self.render_page(
            "accounts/list.html",
            accounts=await staff.accounts(self.platform, self.actor, role=query.role, words=query.q.strip()),
            institution_names={one.id: one.name for one in found},
            query=query,
            roles=STAFF_ROLES,
            now=self.platform.clock.now(),
        )


class Allocate(PageHandler):
    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def get(self) -> None:
        chosen = {"institution_code": self.get_query_argument("institution", "")}
        await self._show(NO_ERRORS | {"values": chosen})

    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def post(self) -> None:
        try:
            account, password = await institutions.allocate_account(
                self.platform, self.actor, self.form(AccountDraft)
            )
        except Problem as problem:
            return await self._show(self.refuse(problem))
        return self.render_page("accounts/first_password.html", account=account, password=password, new=True)

    async def _show(self, outcome: dict[str, Any]) -> None:
        found = await institutions.list_institutions(self.platform, self.actor)
        self.render_page(
            "accounts/new.html",
            roles=STAFF_ROLES,
            provinces=PROVINCE_OPTIONS,
            institutions=[
                (name, [(one.id, f"{one.id} {one.name}") for one in found if one.province_code == code])
                for code, name in PROVINCE_OPTIONS
            ],
            **outcome,
        )


class ResetPassword(PageHandler):
    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def get(self, account_id: str) -> None:
        account = await staff.get_account(self.platform, account_id)
        self.render_page("accounts/reset.html", account=account)

    @allow(Permission.ACCOUNTS_ALLOCATE)
    async def post(self, account_id: str) -> None:
        account, password = await staff.reset_password(self.platform, self.actor, account_id)
        self.render_page("accounts/first_password.html", account=account, password=password, new=False)


class Rights(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        permissions = [one for one in Permission if one not in (Permission.ANYONE, Permission.PHONE)]
        self.render_page(
            "accounts/rights.html",
            roles=list(Role),
            rights=[(one, {role for role in Role if one in ROLE_PERMISSIONS[role]}) for one in permissions],
        )


ROUTES: list[Route] = [
    (r"/admin/accounts", AccountList),
    (r"/admin/accounts/new", Allocate),
    (r"/admin/accounts/(?P<account_id>[0-9a-f]{24})/reset", ResetPassword),
    (r"/admin/rights", Rights),
]
