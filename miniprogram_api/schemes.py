"""The training scheme (培训方案) on a teacher's phone: read it, see what changed, change it, discuss it, sign it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Request, Response, operation
from miniprogram_api.screening import flag, screen
from server.accounts.binding import PhoneRests
from server.assessment.rules import TaskKind
from server.classes.service import ResultsReleased
from server.interruptions import facts as interruptions
from server.kernel.errors import NonceReused
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.schemes import remarks, service
from server.schemes.content import Draft
from server.schemes.documents import Remark
from server.schemes.remarks import RemarkDraft
from server.schemes.rules import SchemeNotInState, State
from server.schemes.service import NoScheme, SchemeOfClass, VersionOutdated
from server.wechat.content import ContentRefused


class SchemeCourseAnswer(Response):
    title: str
    hours: int
    teacher_id: str
    """Empty while nobody is planned."""
    teacher_name: str


class SchemeSessionAnswer(Response):
    title: str
    course: str
    starts_at: datetime
    ends_at: datetime
    hours: int
    place: str
    teacher_id: str
    teacher_name: str
    """Empty in versions of before sessions named their teacher."""


class SchemeCriterionAnswer(Response):
    title: str
    points: int


class SchemeTaskAnswer(Response):
    title: str
    instructions: str
    kind: TaskKind
    kind_title: str
    deadline: datetime
    criteria: list[SchemeCriterionAnswer]
    assessor_id: str
    assessor_name: str


class SchemeChangeAnswer(Response):
    section: str
    kind: str
    """added, removed or changed"""
    what: str
    before: str
    after: str


class SchemeSignatureAnswer(Response):
    person_id: str
    name: str
    signed_at: datetime | None
    """Null: this teacher has not signed the version."""


class SchemeVersionAnswer(Response):
    version: int
    state: State
    state_title: str
    saved_at: datetime
    saved_by: str
    saved_by_teacher: bool
    """False: by the institution."""


class RemarkAnswer(Response):
    version: int
    author_name: str
    text: str
    at: datetime


class SchemeAnswer(Response):
    class_id: str
    class_name: str
    version: int
    """What a signature must name, and what a change is based on."""
    state: State
    state_title: str
    saved_at: datetime
    saved_by: str
    saved_by_teacher: bool
    """False: by the institution."""
    version_in_force: int | None
    """The approved version that the class follows; null before the first approval."""
    objectives: str
    courses: list[SchemeCourseAnswer]
    course_hours: int
    sessions: list[SchemeSessionAnswer]
    """As this version says it."""
    sessions_now: list[SchemeSessionAnswer] | None
    """As they stand, where this version is in force and the class no longer keeps to its times; else null."""
    adjusted_by: list[str]
    """Why it does not: what was decided since, oldest first."""
    tasks: list[SchemeTaskAnswer]
    formative_weight: int
    """Percent; the summative assessment has the rest."""
    places: str
    materials: str
    changes: list[SchemeChangeAnswer]
    """What this version changes in the one before it."""
    versions: list[SchemeVersionAnswer]
    """All of them with who wrote each, newest first."""
    shortcomings: list[str]
    """What still hinders the scheme from being signed and approved."""
    signatures: list[SchemeSignatureAnswer]
    """Of every teacher of the class."""
    signed_by_me: bool
    remarks: list[RemarkAnswer]
    """About any version, newest first."""


class SchemeRequest(Request, Draft):
    """The whole scheme as it is to be. Teachers' names are filled in by the platform, the weights by the policy of the class."""

    based_on: Annotated[int, Field(ge=0, le=9999)]
    """The version that was read and changed; 0 where there was none."""


class SignatureRequest(Request):
    version: Annotated[int, Field(ge=1, le=9999)]
    """The version that was read: a later one needs a signature of its own."""


class RemarkRequest(Request, RemarkDraft):
    """`nonce` makes the same remark, sent again over a bad network, one remark."""

    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")]


def told(seen: SchemeOfClass, person_id: str, adjusted_by: list[str]) -> SchemeAnswer:
    scheme = seen.newest
    assert scheme is not None
    content = scheme.content
    facts = content.model_dump(
        include={"objectives", "courses", "sessions", "formative_weight", "places", "materials"}
    )
    return SchemeAnswer.model_validate(
        {
            **facts,
            "class_id": scheme.class_id,
            "class_name": scheme.class_name,
            "version": scheme.version,
            "state": scheme.state,
            "state_title": scheme.state.label,
            "saved_at": scheme.saved_at,
            "saved_by": scheme.saved_by,
            "saved_by_teacher": scheme.saved_by_teacher,
            "version_in_force": seen.in_force,
            "course_hours": content.course_hours,
            "sessions_now": None if seen.present is None else [one.model_dump() for one in seen.present],
            "adjusted_by": [] if seen.present is None else adjusted_by,
            "tasks": [{**one.model_dump(), "kind_title": one.kind.label} for one in content.tasks],
            "changes": [vars(one) for one in service.changes_in(seen)],
            "versions": [vars(one) | {"state_title": one.state.label} for one in seen.versions],
            "shortcomings": [one.message for one in seen.shortcomings],
            "signatures": [
                {
                    "person_id": one.person_id,
                    "name": one.name,
                    "signed_at": one.signature.at if one.signature else None,
                }
                for one in seen.signatures
            ],
            "signed_by_me": person_id in scheme.signed_by,
            "remarks": [remark_told(version.version, one) for version, one in seen.remarks],
        }
    )


def remark_told(version: int, remark: Remark) -> RemarkAnswer:
    return RemarkAnswer(version=version, author_name=remark.author_name, text=remark.text, at=remark.at)


async def answer_scheme(handler: ApiHandler, class_id: str, *, status: int = 200) -> None:
    seen = await service.taught_scheme(handler.platform, handler.actor, class_id)
    adjusted_by = await interruptions.adjusted_by(handler.platform, class_id)
    handler.answer(told(seen, handler.actor.person_id, adjusted_by), status=status)


class TaughtScheme(ApiHandler):
    @operation(
        Permission.SCHEMES_SIGN,
        summary="The newest version of the scheme of a class that I teach",
        answers={200: SchemeAnswer},
        problems=(NoScheme,),
    )
    async def get(self, class_id: str) -> None:
        await answer_scheme(self, class_id)

    @operation(
        Permission.SCHEMES_DRAFT,
        summary="I change the scheme: a new version, unless the newest says the same already, as when this is sent twice",
        body=SchemeRequest,
        answers={200: SchemeAnswer},
        problems=(VersionOutdated, SchemeNotInState, ContentRefused),
        rate="30/minute",
        rate_by="phone",
        largest=2**20,
    )
    async def put(self, class_id: str) -> None:
        wanted = self.body(SchemeRequest)
        screened = await screen(
            self, wanted.words, service.save_as_teacher, class_id, wanted, wanted.based_on
        )
        await service.save_as_teacher(self.platform, self.actor, class_id, wanted, wanted.based_on)
        await flag(self, screened, f"scheme:{class_id}", "培训方案", class_id)
        await answer_scheme(self, class_id)


class SchemeSignature(ApiHandler):
    @operation(
        Permission.SCHEMES_SIGN,
        summary="I sign exactly this version; 200 when I had signed it already",
        body=SignatureRequest,
        answers={200: SchemeAnswer, 201: SchemeAnswer},
        problems=(NoScheme, VersionOutdated, SchemeNotInState, PhoneRests),
    )
    async def post(self, class_id: str) -> None:
        wanted = self.body(SignatureRequest)
        signed = await service.sign(self.platform, self.actor, class_id, wanted.version)
        await answer_scheme(self, class_id, status=201 if signed else 200)


class SchemeRemarks(ApiHandler):
    @operation(
        Permission.SCHEMES_SIGN,
        summary="I say something about the scheme to the institution and my colleagues",
        body=RemarkRequest,
        answers={201: RemarkAnswer},
        problems=(NoScheme, ContentRefused, NonceReused, ResultsReleased),
        rate="30/minute",
        rate_by="phone",
    )
    async def post(self, class_id: str) -> None:
        said = self.body(RemarkRequest)
        screened = await screen(self, {"text": said.text}, remarks.remark_as_teacher, class_id, said)
        version, kept = await remarks.remark_as_teacher(self.platform, self.actor, class_id, said)
        await flag(self, screened, f"scheme:{class_id}", "对培训方案的意见", class_id)
        self.answer(remark_told(version, kept), status=201)


_SCHEME = r"/api/v1/teaching/classes/(?P<class_id>[0-9a-f]{24})/scheme"
ROUTES: list[Route] = [
    (_SCHEME, TaughtScheme),
    (rf"{_SCHEME}/signature", SchemeSignature),
    (rf"{_SCHEME}/remarks", SchemeRemarks),
]
