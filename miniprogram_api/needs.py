"""需求分析: what the applicants of a class need, and what was changed because of it (article 4.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Request, Response, operation
from miniprogram_api.screening import flag, screen
from server.admissions import needs
from server.admissions import service as admissions
from server.admissions.documents import Note as StoredNote
from server.admissions.needs import Needs, NoNeedsYet, NoteDraft
from server.kernel.errors import NonceReused
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.wechat.content import ContentRefused


class OptionCount(Response):
    option: str
    count: int


class AnsweredItem(Response):
    title: str
    counts: list[OptionCount]
    texts: list[str]


class NoteItem(Response):
    at: datetime
    author_name: str
    text: str


class NeedsAnswer(Response):
    applicants: int
    """Whose answers are counted."""
    questions: list[AnsweredItem]
    notes: list[NoteItem]
    """What was changed because of it, oldest first."""


class NoteRequest(Request):
    text: Annotated[str, Field(min_length=5, max_length=2000)]
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")]
    """Makes the same note, sent again over a bad network, one note."""


def needs_answer(found: Needs) -> NeedsAnswer:
    return NeedsAnswer(
        applicants=found.applicants,
        questions=[
            AnsweredItem(
                title=one.question.title,
                counts=[OptionCount(option=option, count=count) for option, count in one.counts],
                texts=one.texts,
            )
            for one in found.answered
        ],
        notes=[note_item(one) for one in found.admission.notes] if found.admission else [],
    )


def note_item(note: StoredNote) -> NoteItem:
    return NoteItem(at=note.at, author_name=note.author_name, text=note.text)


class TaughtNeeds(ApiHandler):
    @operation(
        Permission.ADMISSIONS_REVIEW,
        summary="What the applicants of a class that I teach need (article 4.4)",
        answers={200: NeedsAnswer},
    )
    async def get(self, class_id: str) -> None:
        await admissions.reviewed_class(self.platform, self.actor, class_id)
        self.answer(needs_answer(await needs.needs_of_class(self.platform, class_id)))

    @operation(
        Permission.ADMISSIONS_REVIEW,
        summary="Say what was changed because of the needs",
        body=NoteRequest,
        answers={201: NoteItem},
        problems=(NoNeedsYet, ContentRefused, NonceReused),
        rate="30/hour",
        rate_by="phone",
    )
    async def post(self, class_id: str) -> None:
        draft = NoteDraft.model_validate(self.body(NoteRequest).model_dump())
        screened = await screen(self, {"text": draft.text}, needs.add_note, class_id, draft)
        kept = await needs.add_note(self.platform, self.actor, class_id, draft)
        await flag(self, screened, f"needs:{class_id}", "需求调整说明", class_id)
        self.answer(note_item(kept), status=201)


ROUTES: list[Route] = [
    (r"/api/v1/teaching/classes/(?P<class_id>[0-9a-f]{24})/needs", TaughtNeeds),
]
