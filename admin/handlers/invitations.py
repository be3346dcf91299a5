"""The invitations of a class: whom the platform recommends, who was invited, and the letters themselves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.options import PROVINCE_OPTIONS
from server.classes import service as classes
from server.invitations import letter
from server.invitations import service as invitations
from server.invitations.rules import Kind
from server.invitations.service import InvitationDraft, Refusal
from server.kernel.errors import Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow


class PoolQuery(BaseModel):
    q: Annotated[str, Field(max_length=60)] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""


class InvitationsPage(PageHandler):
    async def show(self, class_id: str, **context: Any) -> None:
        seen = await invitations.invitations_of_class(self.platform, self.actor, class_id)
        may_send = holds(self.actor, Permission.INVITATIONS_SEND) and not seen.over
        query = self.query(PoolQuery)
        candidates = (
            await invitations.recommend(
                self.platform, self.actor, seen, words=query.q.strip(), province_code=query.province
            )
            if may_send
            else []
        )
        self.render_page(
            "invitations/class.html",
            training_class=seen.training_class,
            tab="invitations",
            invitations=seen.invitations,
            now=self.platform.clock.now(),
            may_send=may_send,
            candidates=candidates,
            most=invitations.RECOMMENDED_MOST,
            query=query,
            kinds=[(kind.value, kind.label) for kind in Kind],
            provinces=PROVINCE_OPTIONS,
            **context,
        )


class ClassInvitations(InvitationsPage):
    @allow(Permission.INVITATIONS_READ)
    async def get(self, class_id: str) -> None:
        await self.show(class_id, sending=False, **NO_ERRORS)

    @allow(Permission.INVITATIONS_SEND)
    async def post(self, class_id: str) -> None:
        try:
            draft = self.form(InvitationDraft)
            sent = await invitations.send(self.platform, self.actor, class_id, draft)
        except Problem as problem:
            return await self.show(class_id, sending=True, **self.refuse(problem))
        names = "、".join(one.teacher_name for one in sent)
        self.flash(f"已向{names}发出{draft.kind.label}邀请函，请对方在小程序中答复。")
        return self.see_other(f"/admin/classes/{class_id}/invitations")


class Withdraw(InvitationsPage):
    @allow(Permission.INVITATIONS_SEND)
    async def post(self, class_id: str, invitation_id: str) -> None:
        try:
            refusal = self.form(Refusal)
            one = await invitations.withdraw(self.platform, self.actor, class_id, invitation_id, refusal)
        except Problem as problem:
            return await self.show(class_id, sending=False, **self.refuse(problem))
        self.flash(f"已撤回给{one.teacher_name}老师的邀请函，并已告知本人。")
        return self.see_other(f"/admin/classes/{class_id}/invitations")


class Cancel(InvitationsPage):
    @allow(Permission.INVITATIONS_SEND)
    async def post(self, class_id: str, invitation_id: str) -> None:
        try:
            refusal = self.form(Refusal)
            one = await invitations.cancel(self.platform, self.actor, class_id, invitation_id, refusal)
        except Problem as problem:
            return await self.show(class_id, sending=False, **self.refuse(problem))
        self.flash(f"已取消{one.teacher_name}老师的{one.kind.label}安排，并已告知本人。")
        return self.see_other(f"/admin/classes/{class_id}/invitations")


class LetterPage(PageHandler):
    @allow(Permission.INVITATIONS_READ)
    async def get(self, class_id: str, invitation_id: str) -> None:
        one = await invitations.invitation_in_reach(self.platform, self.actor, class_id, invitation_id)
        self.render_page(
            "invitations/letter.html",
            training_class=await classes.get_class(self.platform, self.actor, class_id),
            tab="invitations",
            invitation=one,
            state=one.state_at(self.platform.clock.now()),
            letter=letter.letter_of(one),
        )


class LetterPdf(PageHandler):
    @allow(Permission.INVITATIONS_READ, rate="60/minute")
    async def get(self, class_id: str, invitation_id: str) -> None:
        one = await invitations.invitation_in_reach(self.platform, self.actor, class_id, invitation_id)
        content = await letter.pdf(one)
        self.set_header("Content-Type", "application/pdf")
        self.set_header("Content-Disposition", f'inline; filename="invitation-{one.id}.pdf"')
        await self.finish(content)


_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/invitations"
_ONE = rf"{_CLASS}/(?P<invitation_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (_CLASS, ClassInvitations),
    (_ONE, LetterPage),
    (rf"{_ONE}/pdf", LetterPdf),
    (rf"{_ONE}/withdraw", Withdraw),
    (rf"{_ONE}/cancel", Cancel),
]
