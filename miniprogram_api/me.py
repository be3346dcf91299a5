"""我的: who this phone is bound to, as what, and what waits for them."""

from __future__ import annotations

from datetime import datetime

from miniprogram_api.accounts import PersonAnswer, person_answer
from miniprogram_api.handler import ApiHandler, Response, operation
from server.accounts import phones
from server.accounts.phones import State
from server.admissions import service as admissions
from server.assessment import service as assessment
from server.duties import service as duties
from server.institutions import service as institutions
from server.invitations import standing as invitations
from server.kernel.identity import Role
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.messages import inbox
from server.qualification import service as qualification
from server.schemes import standing as schemes
from server.surveys import service as surveys


class WaitingAnswer(Response):
    """How much of each kind waits for this person."""

    tasks: int
    """To be handed in, and still on time."""
    surveys: int
    """To be answered."""
    guidance: int
    """Follow-up guidance that a teacher logged, to be confirmed or disputed."""
    grades: int
    """Submissions to be graded, for a backbone teacher."""
    grades_early: int
    """How many of these are for tasks whose day has not come."""
    applications: int
    """Applications for the classes of a backbone teacher that wait for the teacher's word."""
    statements: int
    """Cases of dynamic management about me that I have not stated yet, and still may."""
    invitations: int
    """Letters to a backbone teacher that wait for an answer."""
    signatures: int
    """Schemes of the classes of a backbone teacher that wait for the teacher's signature."""


class IdentityAnswer(Response):
    """How far this phone is proved to be its person's, and what to do about it."""

    state: State
    title: str
    advice: str
    """What to do, in Chinese; empty where nothing is left to do."""
    digits: str
    """For the staff who see the card: they confirm the phone that shows these."""
    institutions: list[str]
    """Names of those in whose classes it speaks; empty where it does everywhere, or nowhere."""
    rests_until: datetime | None
    """A phone that has taken another's place may not grade, sign or accept before."""
    released: ReleaseAnswer | None
    """Of a phone that speaks for nobody any more: what became of its binding."""


class ReleaseAnswer(Response):
    at: datetime
    by: str
    reason: str


class MeAnswer(Response):
    bound: bool
    """Whether it says whose it is; `identity` says how far that is proved."""
    person: PersonAnswer | None
    identity: IdentityAnswer
    roles: list[Role]
    waiting: WaitingAnswer
    unread_messages: int
    """Counted to 100."""


class Me(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="Who this phone is bound to, and what waits for them",
        answers={200: MeAnswer},
    )
    async def get(self) -> None:
        person = await phones.me(self.platform, self.actor)
        self.answer(
            MeAnswer(
                bound=person is not None,
                person=person_answer(person) if person else None,
                identity=await self._identity(),
                roles=sorted(self.actor.roles),
                waiting=await self._waiting(),
                unread_messages=await inbox.unread(self.platform, self.actor),
            )
        )

    async def _identity(self) -> IdentityAnswer:
        standing = await phones.standing(self.platform, self.actor)
        codes = sorted(standing.reach.institutions)
        names = [await institutions.name_of(self.platform, code) for code in codes]
        everywhere = standing.reach.everywhere
        return IdentityAnswer(
            state=standing.state,
            title=standing.state.label,
            advice=phones.advice(standing),
            digits=standing.digits,
            institutions=[] if everywhere else names,
            rests_until=standing.rests_until,
            released=ReleaseAnswer.model_validate(standing.released) if standing.released else None,
        )

    async def _waiting(self) -> WaitingAnswer:
        roles = self.actor.roles
        if not roles:
            return WaitingAnswer(**dict.fromkeys(WaitingAnswer.model_fields, 0))
        open_surveys, _ = await surveys.my_surveys(self.platform, self.actor)
        teaches = Role.BACKBONE_TEACHER in roles
        grades, early = await assessment.grades_waiting(self.platform, self.actor) if teaches else (0, 0)
        return WaitingAnswer(
            tasks=await assessment.tasks_waiting(self.platform, self.actor),
            surveys=sum(not one.answered for one in open_surveys),
            guidance=await duties.guidance_waiting(self.platform, self.actor),
            grades=grades,
            grades_early=early,
            applications=await admissions.reviews_waiting(self.platform, self.actor) if teaches else 0,
            statements=await qualification.statements_waiting(self.platform, self.actor),
            invitations=await invitations.answers_waiting(self.platform, self.actor) if teaches else 0,
            signatures=await schemes.signatures_waiting(self.platform, self.actor) if teaches else 0,
        )


ROUTES: list[Route] = [(r"/api/v1/me", Me)]
