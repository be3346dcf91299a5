"""An entry of the trail in words, and who is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.institutions.annex1 import PROVINCES
from server.kernel.identity import Role


@dataclass(frozen=True)
class Told:
    """One entry of the trail in words."""

    id: str
    at: datetime
    who: str
    title: str
    detail: str
    subject: str
    """In words, where it is known; else its id."""
    sealed: bool
    subject_id: str = ""
    page: str = ""
    """Of the subject, where it has one."""
    doubtful: bool = False
    """It is not what was sealed."""
    office: str = ""
    """Of a member of staff, in words."""

    @property
    def by(self) -> str:
        return f"{self.who}，{self.office}" if self.office else self.who

    @property
    def standing(self) -> str:
        if self.doubtful:
            return "与入链时不符"
        return "已入链" if self.sealed else "等待"


def actor_of(entry: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """Who stood in for somebody is called by both names, as it was noted."""
    if entry["facts"].get("on_behalf_of"):
        return str(entry["actor_name"])
    return called.get(entry["actor_id"], "未实名的手机")


_PROVINCE_NAMES = {one.code: one.name for one in PROVINCES}


def office_of(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if entry["actor_kind"] != "account":
        return ""
    if code := entry["institution_code"]:
        return names.get(code, "")
    place = entry["province_code"]
    return f"{_PROVINCE_NAMES[place]}{Role.PROVINCE.label}" if place else Role.NATIONAL_CENTRE.label


def persons_in(entry: Mapping[str, Any]) -> list[Any]:
    """The ids that may be a person's."""
    facts = entry["facts"]
    return [one for one in (entry["subject"], facts.get("about"), facts.get("person_id")) if one]
