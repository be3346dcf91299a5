"""Accounts of staff, people (trainees and backbone teachers), and the sessions of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bson.binary import Binary
from pydantic import BaseModel, ConfigDict, Field

from server.accounts.proofs import Proof, Voucher
from server.accounts.rules import Evidence
from server.kernel.found import Found
from server.kernel.identity import Role
from server.kernel.mongo import Document


class SecondFactor(BaseModel):
    """两步验证: the authenticator app that was enrolled."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    secret: Binary
    """Encrypted at random."""
    enrolled_at: datetime
    last_step: int
    """The time step of the last code that was accepted: no code serves twice."""
    recovery: list[str]
    """Hashes of the recovery codes that are left."""


class Account(Found):
    """A staff account, allocated by the national centre (article 25.1). Its username is never given to anybody else."""

    username: str
    name: str
    role: Role
    province_code: str | None = None
    institution_code: str | None = None
    password_hash: str
    must_change_password: bool
    first_password_at: datetime | None = None
    """When the password was given that its user has not changed yet."""
    credential: int = 0
    """Counts the changes of what signs in. What was opened with an earlier one opens nothing any more."""
    created_at: datetime
    second_factor: SecondFactor | None = None
    enrolling: Binary | None = None
    """The secret, encrypted, of an app that has not shown its first code yet."""
    deactivated_at: datetime | None = None
    """When the user left: nobody signs in any more, and history keeps the name."""
    version: int = 0
    """Counts the use cases about this account that must not overlap: see staff.deactivate."""

    def names(self) -> Iterable[str]:
        return (self.username, self.name)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("role", self.role), ("left", self.deactivated_at is not None))

    @property
    def active(self) -> bool:
        return self.deactivated_at is None

    @property
    def unit(self) -> tuple[Role, str | None, str | None]:
        """Whose account it is: one office of one province or institution."""
        return (self.role, self.province_code, self.institution_code)


@dataclass(frozen=True)
class AccountFilter:
    """What a list of accounts is narrowed to; what is empty matches everything."""

    role: str = ""
    words: str = ""
    """Part of the username or the name."""
    deactivated: bool | None = None


EVERY_ACCOUNT = AccountFilter()


class StaffSession(Document):
    """A log-in in a browser. `id` is the SHA-256 of the cookie's token: the database alone opens nothing."""

    account_id: str
    credential: int = 0
    """Of the account, when this was opened."""
    created_at: datetime
    expires_at: datetime
    address: str
    user_agent: str
    seen_at: datetime | None = None
    """Of the last request, to the minute or so."""
    delegation_id: str | None = None
    """By which it acts in a colleague's place, as long as that holds."""


class Delegation(Document):
    """代办: one account stands in for another of the same office."""

    from_id: str
    from_name: str
    to_id: str
    to_name: str
    role: Role
    province_code: str | None
    institution_code: str | None
    from_on: date
    until_on: date
    """As it was agreed."""
    last_on: date
    """The same, or the day before it was ended early."""
    reason: str
    made_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    end_reason: str = ""

    @property
    def unit(self) -> tuple[Role, str | None, str | None]:
        """As of an account."""
        return (self.role, self.province_code, self.institution_code)


class BatchState(StrEnum):
    PREVIEW = "PREVIEW"
    CONFIRMED = "CONFIRMED"


class BatchRow(BaseModel):
    """An account that can be allocated; `row` is its line in the sheet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: int
    username: str
    name: str
    role: Role
    province_code: str | None
    institution_code: str | None


class BatchProblem(BaseModel):
    """One cell that is wrong. `letters` is its column on the screen of a spreadsheet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: int
    letters: str
    column: str
    name: str
    message: str


class AccountBatch(Document):
    """A sheet of accounts that was read and waits to be confirmed: nothing of it counts before. A preview expires after a day."""

    file_name: str
    state: BatchState
    rows: list[BatchRow]
    problems: list[BatchProblem]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    confirmed_at: datetime | None = None


class HalfSignIn(Document):
    """The password was right, the code is still owed. It opens nothing; `id` is the SHA-256 of its cookie's token."""

    account_id: str
    credential: int = 0
    """Of the account, when the password was found right."""
    expires_at: datetime


class VouchedPhone(BaseModel):
    """The phone number of a person, as a roster or the pool has it: one of each voucher."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    phone: Binary
    """Encrypted deterministically: found equal to the one that WeChat gives."""
    voucher: Voucher


class Moved(BaseModel):
    """Where a person belongs since a move (调动) that both provinces confirmed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    work_unit: str
    province_code: str
    since: date


class Person(Found):
    """A teacher known by a real name. Name and number come from a roster or the pool; what only a phone has said lies apart (`claimed`)."""

    name: str
    id_number: Binary
    """Encrypted deterministically: unique, and found by equality. Of a claim at random: nobody finds it."""
    id_number_masked: str
    vouched: list[VouchedPhone] = Field(default_factory=list)
    evidence: str
    """accounts.rules.Evidence: how well the identity was checked."""
    backbone: bool = False
    """In the pool of backbone teachers (骨干教师库, article 9)."""
    moved: Moved | None = None
    created_at: datetime
    version: int = 0
    """Counts the use cases about this person that must not overlap: see people.touch."""

    def names(self) -> Iterable[str]:
        return (self.name,)

    def number(self) -> str:
        return self.id_number_masked

    def phone_by(self, voucher: Voucher) -> Binary | None:
        """The telephone number that this one has given."""
        return next((one.phone for one in self.vouched if one.voucher == voucher), None)

    @property
    def claimed(self) -> bool:
        """Whether nobody has checked name and number yet: it owns nothing, and is in nobody's way."""
        return self.evidence == Evidence.FORMAT_OK


class Binding(Document):
    """One openid ↔ one person, with what proves it, until it is released with a reason."""

    openid: str
    person_id: str
    active: bool
    consent_version: str
    bound_at: datetime
    proofs: list[Proof] = Field(default_factory=list)
    phone: Binary | None = None
    """The number that WeChat gave, encrypted deterministically: a roster that lists it later vouches for this phone too."""
    rests_until: datetime | None = None
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None
    log_ins: int = 0
    """Counted so that a log-in and a release exclude each other."""


class WaitingPhone(Document):
    """A phone that says whose it is without a proof (待确认); `id` is its openid. Any number of them may wait for one person."""

    person_id: str
    consent_version: str
    since: datetime
    own: bool
    """Whether the person is what this phone has claimed, and nothing but that."""


class PersonalCode(Document):
    """A code that proves to hold the admission notice. Only its hash is kept; one of a person and an institution at a time."""

    person_id: str
    institution_code: str
    code_hash: str
    tries_left: int
    expires_at: datetime
    issued_at: datetime
    issued_by: str
    used_by: str | None = None
    """The openid that it has served: it serves no other, and that one's request may come twice."""


class PhoneSession(Document):
    """A log-in of the mini-program. It carries what authenticates a request, so that one look-up is enough."""

    openid: str
    person_id: str | None
    name: str
    backbone: bool
    everywhere: bool = False
    """With the next two: the reach of the phone's proofs."""
    institutions: list[str] = Field(default_factory=list)
    own: bool = False
    rests_until: datetime | None = None
    expires_at: datetime
    created_at: datetime
