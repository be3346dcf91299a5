"""Institutions (培训机构) and what each is qualified for."""

from __future__ import annotations

from pydantic import Field

from server.institutions.rules import Qualification
from server.kernel.mongo import Document


class Institution(Document):
    """`id` is the 培训机构号 of annex 1. It carries its own code once more, so that a jurisdiction selects it like any document."""

    institution_code: str
    province_code: str
    name: str
    qualifications: list[Qualification] = Field(default_factory=list)
    to_confirm: bool = False
    """待核: the qualification's majors and validity are a seed and not yet confirmed by the centre."""
