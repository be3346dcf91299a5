"""What a 换发 prints: the words of the first certificate but for what is registered, or was typed, otherwise (article 25 (4))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BaseModel, Field

from server.accounts import people
from server.accounts.documents import Person
from server.certificates.documents import Certificate, CertificateSnapshot
from server.certificates.press import press, verify_url
from server.certificates.render import FontsMissing, Sheet
from server.corrections.rules import told_apart
from server.institutions.rules import MAJORS
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, Unavailable
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.reissues import rules
from server.reissues.documents import Change, Reissue
from server.seals import service as seals

COURSES_MOST = 8


class Wanted(BaseModel):
    """Of a 换发: name and ID number are the person's own, as they are registered now, and are not typed here."""

    reason: Reason
    major: Annotated[str, Field(title="专业大类", max_length=40)] = ""
    courses: Annotated[str, Field(title="课程内容", max_length=1000)] = ""
    """A line each; empty, as they are."""


async def person_of(scope: Scope, found: Certificate) -> Person:
    return (await people.persons(scope, [found.person_id]))[found.person_id]


def registered_otherwise(found: Certificate, person: Person) -> bool:
    """Whether the person is registered under another name or number than the certificate prints: a correction came after it."""
    return (found.printed.name, found.printed.id_number) != (person.name, person.id_number)


def _texts(name: str, id_number: bytes, major: str, courses: Sequence[str]) -> dict[str, str]:
    return {"name": name, "id_number": id_number.hex(), "major": major, "courses": "、".join(courses)}


def _printed(found: Certificate) -> dict[str, str]:
    one = found.printed
    return _texts(one.name, one.id_number, one.major, one.courses)


async def to_file(unit: UnitOfWork, found: Certificate, wanted: Wanted) -> dict[str, Any]:
    """What the new paper shall say, beside what this one says. Raises NothingToReplace, Invalid."""
    person = await person_of(unit, found)
    major = wanted.major or found.printed.major
    courses = _lines(wanted.courses) or list(found.printed.courses)
    if major not in {found.printed.major, *(one.name for one in MAJORS.values())}:
        raise Invalid(fields=[FieldError("major", "请从列表中选择专业大类。")])
    before, after = _printed(found), _texts(person.name, person.id_number, major, courses)
    fields = rules.differing(before, after)
    if "id_number" in fields:
        old, new = await unit.platform.vault.decrypt([found.printed.id_number, person.id_number])
        before["id_number"], after["id_number"] = told_apart(old, new), told_apart(new, old)
    titles = rules.PRINTED_TITLES
    return {
        "major": major,
        "courses": courses,
        "number_after": person.id_number if "id_number" in fields else None,
        "changes": [
            Change(field=one, title=titles[one], before=before[one], after=after[one]) for one in fields
        ],
    }


async def prove(platform: Platform, found: Certificate, wanted: Wanted) -> None:
    """Draws what would be printed: better before anybody reads it than after a number is spent. Raises CharacterMissing, TextTooLong."""
    said: dict[str, Any] = {"name": (await person_of(platform, found)).name}
    if courses := _lines(wanted.courses):
        said["courses"] = tuple(courses)
    await _draw(platform, found, said)


async def prove_issuable(platform: Platform, found: Certificate, **said: Any) -> None:
    """Asked before another one takes a serial and a number: that it can be signed today, and that what it says can be printed, which is
    what `found` says but for `said`. Raises KeyUnusable, CharacterMissing, TextTooLong."""
    await seals.material(platform, found.institution_code)
    await _draw(platform, found, said)


async def _draw(platform: Platform, found: Certificate, differs: Mapping[str, Any]) -> None:
    said = found.printed.model_dump(exclude={"id_number", "id_number_masked"}) | {"id_number": "0" * 18}
    said |= {"layout": None, "seal": None, **differs}
    address = verify_url(platform, "0" * 22)
    with suppress(FontsMissing, Unavailable):  # signing says so, and tries again
        await press().pdf(Sheet(CertificateSnapshot(**said), address, None, "", None))


def _lines(text: str) -> list[str]:
    """A course a line. Raises Invalid."""
    lines = [" ".join(one.split()) for one in text.splitlines() if one.strip()]
    if len(lines) > COURSES_MOST or any(len(one) > _LONGEST for one in lines):
        raise Invalid(
            fields=[
                FieldError("courses", f"每行一门课程，最多 {COURSES_MOST} 门，每门最多 {_LONGEST} 个字。")
            ]
        )
    if len(set(lines)) != len(lines):
        raise Invalid(fields=[FieldError("courses", "课程名称有重复，请核对。")])
    return lines


_LONGEST = 60
"""As `certificates.documents.Line`."""


async def approved_words(unit: UnitOfWork, found: Reissue, old: Certificate) -> dict[str, Any]:
    """What is printed otherwise, if it is still what the province has read. Raises ChangedMeanwhile."""
    person = await person_of(unit, old)
    filed = _printed(old) | {one.field: one.after for one in found.changes}
    if found.number_after is not None:
        filed["id_number"] = found.number_after.hex()
    rules.require_unchanged(filed, _texts(person.name, person.id_number, found.major, found.courses))
    return {
        "name": person.name,
        "id_number": person.id_number,
        "id_number_masked": person.id_number_masked,
        "major": found.major,
        "courses": tuple(found.courses),
        "issued_on": beijing_date(unit.now),
    }
