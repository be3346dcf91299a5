"""Accounts of staff: the centre allocates them, each unit looks after its own (article 25.1); and which role may do what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from admin.handler import NO_ERRORS, Desk, Outcome, PageHandler
from admin.lists import Filter, Listing, Options, Query, Words
from admin.options import PROVINCE_OPTIONS
from admin.rendering import province_name
from admin.steps import ReasonForm, WordForm, batch, shows, step
from server.accounts import staff
from server.accounts.documents import Account, AccountFilter
from server.accounts.staff import AccountDraft, ColleagueDraft
from server.institutions import service as institutions
from server.institutions.account_sheet import STAFF_ROLES
from server.kernel.clock import beijing_date
from server.kernel.identity import Role
from server.kernel.permissions import Permission, holds, rights_by_chapter
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route, allow

ROLE_OPTIONS = [(role.value, role.label) for role in STAFF_ROLES]
STATES = [("active", "正常使用"), ("left", "已停用")]


def may_allocate(page: PageHandler) -> bool:
    return holds(page.actor, Permission.ACCOUNTS_ALLOCATE)


async def places(page: Desk, accounts: Sequence[Account]) -> dict[str, str]:
    """Institution code → its name, of those that the actor sees."""
    if not any(one.institution_code for one in accounts):
        return {}
    return {one.id: one.name for one in await institutions.list_institutions(page.platform, page.actor)}


# ---- the list


def roles_in_reach(page: PageHandler) -> Options:
    """None to choose from in one's own unit, where all have the same role."""
    return ROLE_OPTIONS if may_allocate(page) else []


class AccountQuery(Query):
    q: Annotated[Words, Filter("用户名或姓名")] = ""
    role: Annotated[str, Field(max_length=40), Filter("用户类别", roles_in_reach)] = ""
    state: Annotated[str, Field(pattern=r"^(active|left)$"), Filter("状态", STATES)] = ""


async def fetch(page: Desk, query: AccountQuery, after: str | None, limit: int) -> list[Account]:
    deactivated = {"active": False, "left": True}.get(query.state)
    narrowed = AccountFilter(role=query.role, words=query.q, deactivated=deactivated)
    return await staff.accounts(page.platform, page.actor, narrowed, after_id=after, limit=limit)


async def around(page: PageHandler, query: AccountQuery, rows: Sequence[Account]) -> dict[str, Any]:
    return {
        "institution_names": await places(page, rows),
        "alone": await staff.is_alone(page.platform, page.actor),
        "locks": await staff.locks(page.platform, rows),
    }


async def exported(
    page: Desk, query: AccountQuery, rows: Sequence[Account]
) -> list[tuple[Account, str, str]]:
    names, locked = await places(page, rows), await staff.locks(page.platform, rows)
    return [(one, names.get(one.institution_code or "", ""), staff.standing(one, locked)) for one in rows]


SHEET = Sheet[tuple[Account, str, str]](
    "用户账号",
    [
        Column("用户名", 20, lambda row: row[0].username),
        Column("使用人", 14, lambda row: row[0].name),
        Column("用户类别", 18, lambda row: row[0].role.label),
        Column("单位", 30, lambda row: row[1] or province_name(row[0].province_code)),
        Column("状态", 18, lambda row: row[2]),
        Column("两步验证", 10, lambda row: "已开通" if row[0].second_factor else "未开通"),
        Column("分配时间", 12, lambda row: beijing_date(row[0].created_at)),
    ],
)
ACCOUNTS = Listing(
    "/admin/accounts",
    "accounts/list.html",
    Permission.ACCOUNTS_STAFF,
    AccountQuery,
    fetch,
    around,
    SHEET,
    exported,
    page_size=50,
)


async def username_of(page: PageHandler, account_id: str) -> str:
    return (await staff.get_account(page.platform, page.actor, account_id)).username


@batch(
    ACCOUNTS.page,
    Permission.ACCOUNTS_STAFF,
    "已停用 {} 个账号，所有登录已退出。",
    username_of,
    WordForm,
)
async def deactivate_several(page: PageHandler, account_id: str, form: WordForm) -> None:
    await staff.deactivate(page.platform, page.actor, account_id, form.reason)


# ---- a new one


class NewAccount(PageHandler):
    get = shows(Permission.ACCOUNTS_STAFF)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        if outcome["problem"] is None:
            outcome = outcome | {"values": {"institution_code": self.get_query_argument("institution", "")}}
        everywhere = may_allocate(self)
        found = await institutions.list_institutions(self.platform, self.actor) if everywhere else []
        self.render_page(
            "accounts/new.html",
            roles=ROLE_OPTIONS,
            institutions=[
                (name, [(one.id, f"{one.id} {one.name}") for one in found if one.province_code == code])
                for code, name in PROVINCE_OPTIONS
            ],
            **outcome,
        )


@step(NewAccount, Permission.ACCOUNTS_STAFF, rate="30/minute")
async def allocate(page: NewAccount) -> None:
    """The centre gives anybody an account; others give a colleague of the own unit one like their own."""
    if may_allocate(page):
        account, password = await institutions.allocate_account(
            page.platform, page.actor, page.form(AccountDraft)
        )
    else:
        draft = page.form(ColleagueDraft)
        account, password = await institutions.add_colleague(page.platform, page.actor, draft)
    page.render_page("accounts/first_password.html", account=account, password=password, new=True)


# ---- one account


class Dialog(PageHandler):
    """Asks the reason for what is done to one account; the list fetches it."""

    address = "/admin/accounts"
    template: ClassVar[str]

    async def show(self, account_id: str, outcome: Outcome = NO_ERRORS) -> None:
        account = await staff.get_account(self.platform, self.actor, account_id)
        names = await places(self, [account])
        place = names.get(account.institution_code or "", "")
        self.render_page(self.template, account=account, place=place, **outcome)


class ResetPassword(Dialog):
    template = "accounts/reset.html"
    get = shows(Permission.ACCOUNTS_STAFF)

    @allow(Permission.ACCOUNTS_STAFF, rate="30/minute")
    async def post(self, account_id: str) -> None:
        account, password = await staff.reset_password(self.platform, self.actor, account_id)
        self.render_page("accounts/first_password.html", account=account, password=password, new=False)


class DeactivateDialog(Dialog):
    template = "accounts/deactivate.html"
    get = shows(Permission.ACCOUNTS_STAFF)


@step(DeactivateDialog, Permission.ACCOUNTS_STAFF)
async def deactivate(page: Dialog, account_id: str) -> str:
    reason = page.form(WordForm).reason
    account = await staff.deactivate(page.platform, page.actor, account_id, reason)
    return f"{account.name}（{account.username}）的账号已停用，所有登录已退出。"


class ReactivateDialog(Dialog):
    template = "accounts/reactivate.html"
    get = shows(Permission.ACCOUNTS_ALLOCATE)


@step(ReactivateDialog, Permission.ACCOUNTS_ALLOCATE)
async def reactivate(page: Dialog, account_id: str) -> None:
    reason = page.form(ReasonForm).reason
    account, password = await staff.reactivate(page.platform, page.actor, account_id, reason)
    page.render_page("accounts/first_password.html", account=account, password=password, new=True)


class SecondFactorDialog(Dialog):
    template = "accounts/reset_second_factor.html"
    get = shows(Permission.ACCOUNTS_ALLOCATE)


@step(SecondFactorDialog, Permission.ACCOUNTS_ALLOCATE)
async def reset_second_factor(page: Dialog, account_id: str) -> str:
    reason = page.form(ReasonForm).reason
    account = await staff.reset_second_factor(page.platform, page.actor, account_id, reason)
    return f"{account.name}（{account.username}）的两步验证已重置，所有登录已退出。"


# ---- the rights


class Rights(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        self.render_page(
            "accounts/rights.html", roles=list(Role), mine=self.actor.roles, chapters=rights_by_chapter()
        )


_ACCOUNT = r"/admin/accounts/(?P<account_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    *ACCOUNTS.routes,
    (r"/admin/accounts/new", allocate),
    (r"/admin/accounts/deactivate", deactivate_several),
    (rf"{_ACCOUNT}/reset", ResetPassword),
    (rf"{_ACCOUNT}/deactivate", deactivate),
    (rf"{_ACCOUNT}/reactivate", reactivate),
    (rf"{_ACCOUNT}/second-factor", reset_second_factor),
    (r"/admin/rights", Rights),
]
