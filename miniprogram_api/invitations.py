"""授课邀请: the letters to a backbone teacher, and the answers (articles 4.2 and 8)."""

from __future__ import annotations

from datetime import date, datetime

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from miniprogram_api.screening import flag, screen
from server.accounts.binding import PhoneRests
from server.classes.rules import Kind
from server.classes.service import TeacherNotInPool
from server.institutions.rules import Level
from server.invitations import letter
from server.invitations import service as invitations
from server.invitations.documents import Invitation
from server.invitations.rules import Action, InvitationClosed, State, TeacherBusy
from server.invitations.service import Refusal
from server.kernel.paper import PaperLacksCharacter
from server.kernel.permissions import Permission
from server.kernel.reasons import ShortReason
from server.kernel.web import Route
from server.wechat.content import ContentRefused


class DeclineRequest(Request):
    reason: ShortReason
    """The institution reads it."""


class InvitationAnswer(Response):
    id: str
    class_id: str
    class_name: str
    institution_name: str
    level: Level
    level_title: str
    major: str
    major_name: str
    starts_on: date
    ends_on: date
    class_hours: int
    place: str
    kind: Kind
    kind_title: str
    asked: str
    """What the task is, in words."""
    message: str
    """The institution's own words; may be empty."""
    state: State
    """By the clock: EXPIRED from `reply_by` on."""
    state_title: str
    sent_at: datetime
    reply_by: datetime
    """An answer must come before this moment."""
    answered_at: datetime | None
    reason: str
    """Of whoever declined, withdrew or cancelled; may be empty."""


def invitation_answer(one: Invitation, now: datetime) -> InvitationAnswer:
    state = one.state_at(now)
    answers = [step.at for step in one.history if step.action in (Action.ACCEPT, Action.DECLINE)]
    return InvitationAnswer(
        **one.model_dump(include=_TOLD),
        level_title=one.level.label,
        major_name=one.major_name,
        kind_title=one.kind.label,
        asked=letter.ASKED[one.kind],
        state=state,
        state_title=state.label,
        answered_at=answers[-1] if answers else None,
        reason=one.history[-1].reason,
    )


_TOLD = InvitationAnswer.model_fields.keys() & Invitation.model_fields.keys() - {"state"}


class InvitationHandler(ApiHandler):
    def tell(self, one: Invitation) -> None:
        self.answer(invitation_answer(one, self.platform.clock.now()))


class MyInvitations(InvitationHandler):
    @operation(
        Permission.INVITATIONS_ANSWER,
        summary="The invitations to me, newest first, each with its state",
        query=Paging,
        answers={200: Page[InvitationAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found = await invitations.my_invitations(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        now = self.platform.clock.now()
        following = found[-1].id if len(found) == paging.limit else None
        items = [invitation_answer(one, now) for one in found]
        self.answer(Page[InvitationAnswer](items=items, next=following))


class MyInvitation(InvitationHandler):
    @operation(
        Permission.INVITATIONS_ANSWER, summary="One of the invitations to me", answers={200: InvitationAnswer}
    )
    async def get(self, invitation_id: str) -> None:
        self.tell(await invitations.my_invitation(self.platform, self.actor, invitation_id))


class Accept(InvitationHandler):
    @operation(
        Permission.INVITATIONS_ANSWER,
        summary="Accept: the class is mine to teach or assess; sent again, it answers the same",
        answers={200: InvitationAnswer},
        problems=(InvitationClosed, TeacherBusy, TeacherNotInPool, PhoneRests),
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self, invitation_id: str) -> None:
        self.tell(await invitations.accept(self.platform, self.actor, invitation_id))


class Decline(InvitationHandler):
    @operation(
        Permission.INVITATIONS_ANSWER,
        summary="Decline with a reason; sent again, it answers the same",
        body=DeclineRequest,
        answers={200: InvitationAnswer},
        problems=(InvitationClosed, ContentRefused),
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self, invitation_id: str) -> None:
        refusal = Refusal(reason=self.body(DeclineRequest).reason)
        screened = await screen(self, {"reason": refusal.reason}, invitations.decline, invitation_id, refusal)
        declined = await invitations.decline(self.platform, self.actor, invitation_id, refusal)
        await flag(self, screened, f"invitation:{invitation_id}", "谢绝邀请的理由", declined.class_id)
        self.tell(declined)


class LetterPdf(InvitationHandler):
    @operation(
        Permission.INVITATIONS_ANSWER,
        summary="The letter as PDF, to keep or print",
        answers={200: "application/pdf"},
        problems=(PaperLacksCharacter,),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, invitation_id: str) -> None:
        one = await invitations.my_invitation(self.platform, self.actor, invitation_id)
        content = await letter.pdf(one)
        self.set_header("Content-Type", "application/pdf")
        self.set_header("Content-Disposition", f'inline; filename="invitation-{one.id}.pdf"')
        await self.finish(content)


_ONE = r"/api/v1/teaching/invitations/(?P<invitation_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/api/v1/teaching/invitations", MyInvitations),
    (_ONE, MyInvitation),
    (rf"{_ONE}/accept", Accept),
    (rf"{_ONE}/decline", Decline),
    (rf"{_ONE}/pdf", LetterPdf),
]
