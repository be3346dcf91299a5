"""The invitations of a class: whom the platform recommends, who was invited, and the letters themselves."""

from __future__ import annotations

from typing import Annotated

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import Filter, ProvinceCode, Query, Words, named
from admin.options import PROVINCE_OPTIONS
from admin.steps import shows, step
from server.classes import service as classes
from server.classes.rules import Kind
from server.invitations import letter, recommendation
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft, Refusal
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow


class PoolQuery(Query):
    q: Annotated[Words, Filter("姓名或工作单位")] = ""
    province: Annotated[ProvinceCode, Filter("省份", PROVINCE_OPTIONS)] = ""


class ClassInvitations(PageHandler):
    address = "/admin/classes/{class_id}/invitations"
    get = shows(Permission.INVITATIONS_READ)

    async def show(self, class_id: str, invitation_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        """`invitation_id`: the one that a step was about."""
        seen = await invitations.invitations_of_class(self.platform, self.actor, class_id)
        may_send = holds(self.actor, Permission.INVITATIONS_SEND) and not seen.over
        query = self.query(PoolQuery)
        candidates = (
            await recommendation.recommend(
                self.platform, self.actor, seen, words=query.q, province_code=query.province
            )
            if may_send
            else []
        )
        self.render_page(
            "invitations/class.html",
            training_class=seen.training_class,
            invitations=seen.invitations,
            called=seen.called,
            may_send=may_send,
            candidates=candidates,
            most=recommendation.RECOMMENDED_MOST,
            query=query,
            filters=query.filters(self),
            kinds=named(Kind),
            **outcome,
        )


@step(ClassInvitations, Permission.INVITATIONS_SEND)
async def send(page: ClassInvitations, class_id: str) -> str:
    draft = page.form(InvitationDraft)
    sent = await invitations.send(page.platform, page.actor, class_id, draft)
    names = "、".join({one.teacher_id: one.teacher_name for one in sent}.values())
    kinds = "和".join(one.label for one in draft.kinds)
    return f"已向{names}发出{kinds}邀请函，请对方在小程序中答复。"


@step(ClassInvitations, Permission.INVITATIONS_SEND)
async def withdraw(page: ClassInvitations, class_id: str, invitation_id: str) -> str:
    refusal = page.form(Refusal)
    one = await invitations.withdraw(page.platform, page.actor, class_id, invitation_id, refusal)
    return f"已撤回给{one.teacher_name}老师的邀请函，并已告知本人。"


@step(ClassInvitations, Permission.INVITATIONS_SEND)
async def cancel(page: ClassInvitations, class_id: str, invitation_id: str) -> str:
    refusal = page.form(Refusal)
    one = await invitations.cancel(page.platform, page.actor, class_id, invitation_id, refusal)
    return f"已取消{one.teacher_name}老师的{one.kind.label}安排，并已告知本人。"


class LetterPage(PageHandler):
    @allow(Permission.INVITATIONS_READ)
    async def get(self, class_id: str, invitation_id: str) -> None:
        one = await invitations.invitation_in_reach(self.platform, self.actor, class_id, invitation_id)
        self.render_page(
            "invitations/letter.html",
            training_class=await classes.get_class(self.platform, self.actor, class_id),
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
    (_CLASS, send),
    (_ONE, LetterPage),
    (rf"{_ONE}/pdf", LetterPdf),
    (rf"{_ONE}/withdraw", withdraw),
    (rf"{_ONE}/cancel", cancel),
]
