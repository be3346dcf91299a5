"""Who vouches for a phone, and how far that reaches (article 4.7: 参训教师全实名; server/decisions/0027). Pure.

Name and number are known to many. A phone speaks for a person only with a proof that its owner holds something of that person's: the phone
number that somebody has vouched for, the code of an admission notice, the identity card before the eyes of staff.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from server.kernel.identity import Reach
from server.kernel.titled import Titled


class ProofKind(Titled):
    PHONE = "PHONE", "微信手机号与登记的一致"
    CODE = "CODE", "入学通知的个人码"
    CARD = "CARD", "工作人员核对身份证和本机"
    KEPT = "KEPT", "沿用此前的绑定"
    """Of an earlier version, which asked for name and number only."""


class Authority(Titled):
    """Who vouches."""

    POOL = "POOL", "骨干教师库"
    CENTRE = "CENTRE", "部指导中心"
    PROVINCE = "PROVINCE", "省级管理部门"
    INSTITUTION = "INSTITUTION", "培训机构"

    @property
    def everywhere(self) -> bool:
        """Whether its word opens every class, and the role of a backbone teacher."""
        return self is not Authority.INSTITUTION


class Voucher(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    authority: Authority
    code: str = ""
    """Of the institution or the province."""

    @classmethod
    def institution(cls, code: str) -> Voucher:
        return cls(authority=Authority.INSTITUTION, code=code)


POOL = Voucher(authority=Authority.POOL)


class Proof(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ProofKind
    voucher: Voucher
    at: datetime
    by: str
    """Whose act it was: of the phone itself, or of the staff who saw the card."""

    def says_the_same(self, other: Proof) -> bool:
        return (self.kind, self.voucher) == (other.kind, other.voucher)


def reach_of(proofs: Sequence[Proof]) -> Reach:
    """A proof reaches as far as its voucher."""
    return Reach(
        everywhere=any(one.voucher.authority.everywhere for one in proofs),
        institutions=frozenset(
            one.voucher.code for one in proofs if one.voucher.authority is Authority.INSTITUTION
        ),
        own=bool(proofs),
    )


def with_more(proofs: Sequence[Proof], more: Iterable[Proof]) -> list[Proof]:
    """Those and what is new of these: each kind of each voucher once."""
    kept = list(proofs)
    for one in more:
        if not any(one.says_the_same(other) for other in kept):
            kept.append(one)
    return kept


def without_everywhere(proofs: Sequence[Proof]) -> list[Proof]:
    """What is left when the person's name or number has changed: the rights of a teacher rest until they are proved anew."""
    return [one for one in proofs if not one.voucher.authority.everywhere]


def replaces(new: Sequence[Proof], old: Sequence[Proof]) -> bool:
    """Whether a phone with the `new` proofs takes the place of one with the `old`: what opens everything takes that of what does not."""
    return reach_of(new).everywhere and not reach_of(old).everywhere


def rests_until(now: datetime, hours: int, *, first: bool) -> datetime | None:
    """Until when a phone may not yet grade, sign or accept; the first that a person ever had may at once."""
    return None if first or not hours else now + timedelta(hours=hours)
