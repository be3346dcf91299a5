"""两步验证: one's own authenticator app and recovery codes."""

from __future__ import annotations

from typing import Annotated

import segno
from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, SECOND_FACTOR, Outcome, PageHandler
from admin.handlers.accounts import CodeForm
from admin.steps import Done, shows, step
from server.accounts import second_factor
from server.kernel.permissions import Permission
from server.kernel.web import Route

RATE = "20/minute"


class BeginForm(BaseModel):
    password: Annotated[str, Field(title="当前密码", max_length=200)]


class OwnSecondFactor(PageHandler):
    """As it stands: off, waiting for its first code, or on."""

    address = SECOND_FACTOR
    get = shows(Permission.ACCOUNTS_OWN)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        standing = await second_factor.standing(self.platform, self.actor)
        self.render_page(
            "accounts/second_factor.html",
            standing=standing,
            forced=self.actor.must_enrol,
            qr=segno.make_qr(standing.uri, error="l").svg_data_uri(border=4, omitsize=True, light="#fff")
            if standing.secret
            else None,
            **outcome,
        )


@step(OwnSecondFactor, Permission.ACCOUNTS_OWN, rate=RATE)
async def enrol(page: OwnSecondFactor) -> Done:
    await second_factor.begin(page.platform, page.actor, page.form(BeginForm).password)
    return Done("", SECOND_FACTOR)


@step(OwnSecondFactor, Permission.ACCOUNTS_OWN, rate=RATE)
async def confirm_second_factor(page: OwnSecondFactor) -> None:
    codes = await second_factor.confirm(page.platform, page.actor, page.form(CodeForm).code)
    page.render_page("accounts/recovery_codes.html", codes=codes)


@step(OwnSecondFactor, Permission.ACCOUNTS_OWN, rate=RATE)
async def renew_recovery_codes(page: OwnSecondFactor) -> None:
    codes = await second_factor.renew_recovery_codes(page.platform, page.actor, page.form(CodeForm).code)
    page.render_page("accounts/recovery_codes.html", codes=codes)


@step(OwnSecondFactor, Permission.ACCOUNTS_OWN, rate=RATE)
async def remove_second_factor(page: OwnSecondFactor) -> str:
    await second_factor.remove(page.platform, page.actor, page.form(CodeForm).code)
    return "两步验证已停用。"


ROUTES: list[Route] = [
    (SECOND_FACTOR, enrol),
    (rf"{SECOND_FACTOR}/confirm", confirm_second_factor),
    (rf"{SECOND_FACTOR}/recovery-codes", renew_recovery_codes),
    (rf"{SECOND_FACTOR}/remove", remove_second_factor),
]
