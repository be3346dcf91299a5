"""两步验证: one's own authenticator app and recovery codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import segno

from admin.handler import NO_ERRORS, SECOND_FACTOR, PageHandler
from admin.handlers.accounts import CodeForm
from server.accounts import second_factor
from server.kernel.errors import Problem
from server.kernel.identity import Actor
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.web import Route, allow


class SecondFactorHandler(PageHandler):
    async def show(self, outcome: dict[str, Any]) -> None:
        """The page of the actor's second factor as it stands: off, waiting for its first code, or on."""
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

    async def show_codes(self, give: Callable[[Platform, Actor, str], Awaitable[list[str]]]) -> None:
        """New recovery codes for the code in the form, shown this once."""
        try:
            codes = await give(self.platform, self.actor, self.form(CodeForm).code)
        except Problem as problem:
            return await self.show(self.refuse(problem) | {"values": {}})
        return self.render_page("accounts/recovery_codes.html", codes=codes)


class Own(SecondFactorHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        await self.show(NO_ERRORS)

    @allow(Permission.ACCOUNTS_OWN, rate="20/minute")
    async def post(self) -> None:
        """Begins to enrol an app."""
        try:
            await second_factor.begin(self.platform, self.actor)
        except Problem as problem:
            return await self.show(self.refuse(problem))
        return self.see_other(SECOND_FACTOR)


class Confirm(SecondFactorHandler):
    @allow(Permission.ACCOUNTS_OWN, rate="20/minute")
    async def post(self) -> None:
        await self.show_codes(second_factor.confirm)


class RecoveryCodes(SecondFactorHandler):
    @allow(Permission.ACCOUNTS_OWN, rate="20/minute")
    async def post(self) -> None:
        await self.show_codes(second_factor.renew_recovery_codes)


class Remove(SecondFactorHandler):
    @allow(Permission.ACCOUNTS_OWN, rate="20/minute")
    async def post(self) -> None:
        try:
            await second_factor.remove(self.platform, self.actor, self.form(CodeForm).code)
        except Problem as problem:
            return await self.show(self.refuse(problem) | {"values": {}})
        self.flash("两步验证已停用。")
        return self.see_other(SECOND_FACTOR)


ROUTES: list[Route] = [
    (SECOND_FACTOR, Own),
    (rf"{SECOND_FACTOR}/confirm", Confirm),
    (rf"{SECOND_FACTOR}/recovery-codes", RecoveryCodes),
    (rf"{SECOND_FACTOR}/remove", Remove),
]
