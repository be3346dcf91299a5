"""Who acts, in which role, and over what: the users of article 24 and the reach of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from server.kernel import offices
from server.kernel.titled import Titled


class Role(Titled):
    """平台用户 (article 24)."""

    NATIONAL_CENTRE = "NATIONAL_CENTRE", "部指导中心"
    PROVINCE = "PROVINCE", "省级管理部门"
    TRAINING_CENTRE = "TRAINING_CENTRE", "师资研修中心"
    TRAINING_BASE = "TRAINING_BASE", "教师培训基地"
    BACKBONE_TEACHER = "BACKBONE_TEACHER", "骨干教师"
    TRAINEE = "TRAINEE", "参训教师"


INSTITUTION_ROLES = frozenset({Role.TRAINING_CENTRE, Role.TRAINING_BASE})


@dataclass(frozen=True)
class Jurisdiction:
    """管理范围: the part of the country an actor may see. `conditions` is merged into every query, never checked afterwards."""

    conditions: tuple[tuple[str, str], ...] | None

    @classmethod
    def everything(cls) -> Jurisdiction:
        return cls(())

    @classmethod
    def of_province(cls, code: str) -> Jurisdiction:
        return cls((("province_code", code),))

    @classmethod
    def of_institution(cls, code: str) -> Jurisdiction:
        return cls((("institution_code", code),))

    @classmethod
    def nothing(cls) -> Jurisdiction:
        return cls(None)

    def filter(self) -> dict[str, object]:
        """The MongoDB condition of this reach, over documents that carry `province_code` and `institution_code`."""
        if self.conditions is None:
            return {"_id": {"$in": []}}
        return dict(self.conditions)


@dataclass(frozen=True)
class Reach:
    """How far a phone speaks for its person: as far as whoever has vouched for it (server/decisions/0027). By itself, nowhere."""

    everywhere: bool = False
    """In every class, and as a backbone teacher."""
    institutions: frozenset[str] = frozenset()
    """In the classes of these."""
    own: bool = False
    """For what the phone itself has applied for: also of a claim that nobody has checked."""

    def opens(self, institution_code: str) -> bool:
        return self.everywhere or institution_code in self.institutions

    def filter(self) -> dict[str, object]:
        """The MongoDB condition of this reach, over documents that carry `institution_code`."""
        return {} if self.everywhere else {"institution_code": {"$in": sorted(self.institutions)}}


NOWHERE = Reach()


@dataclass(frozen=True)
class Actor:
    """Whoever makes a request. `id` is the account's, the person's, or the name of a job."""

    id: str
    name: str
    kind: Literal["account", "person", "system", "anybody"]
    roles: frozenset[Role]
    jurisdiction: Jurisdiction
    province_code: str | None = None
    institution_code: str | None = None
    openid: str | None = None
    session_id: str | None = None
    must_change_password: bool = False
    must_enrol: bool = False
    """Has to enrol a second factor before anything else."""
    reach: Reach = NOWHERE
    """Of a phone."""
    stands_for: str = ""
    """The id of the account in whose place a member of staff acts: `name` has both names then."""
    rests_until: datetime | None = None
    """Of a phone that has just taken the place of another: until then it may not grade, sign or accept."""

    @property
    def office(self) -> str:
        """Where a member of staff works (kernel.offices); empty for anybody else."""
        if Role.NATIONAL_CENTRE in self.roles:
            return offices.CENTRE
        if self.institution_code:
            return offices.institution(self.institution_code)
        return offices.province(self.province_code) if self.province_code else ""

    @property
    def person_id(self) -> str:
        """The person bound to this phone. Handlers that need it declare a permission that only a bound person holds."""
        assert self.kind == "person"
        return self.id


ANYBODY = Actor("anybody", "匿名访问者", "anybody", frozenset(), Jurisdiction.nothing())


def system(job: str) -> Actor:
    """The platform itself, doing the named job."""
    return Actor(job, "平台", "system", frozenset(), Jurisdiction.everything())
