"""Accounts of staff, people (trainees and backbone teachers), and the sessions of both."""

from __future__ import annotations

from datetime import datetime

from bson.binary import Binary

from server.kernel.identity import Role
from server.kernel.mongo import Document


class Account(Document):
    """A staff account, allocated by the national centre (article 25.1)."""

    username: str
    name: str
    role: Role
    province_code: str | None = None
    institution_code: str | None = None
    password_hash: str
    must_change_password: bool
    failures: int = 0
    locked_until: datetime | None = None
    created_at: datetime


class StaffSession(Document):
    """A log-in in a browser. `id` is the SHA-256 of the cookie's token: the database alone opens nothing."""

    account_id: str
    created_at: datetime
    expires_at: datetime
    address: str
    user_agent: str


class Person(Document):
    """A teacher known by a real name. Name and number come from a roster or the pool, never from the phone."""

    name: str
    id_number: Binary
    """Encrypted deterministically: unique, and found by equality."""
    id_number_masked: str
    phone: Binary | None = None
    evidence: str
    """accounts.rules.Evidence: how well the identity was checked."""
    backbone: bool = False
    """In the pool of backbone teachers (骨干教师库, article 9)."""
    created_at: datetime
    version: int = 0
    """Counts the use cases about this person that must not overlap: see people.touch."""


class Binding(Document):
    """One openid ↔ one person, until an institution releases it with a reason."""

    openid: str
    person_id: str
    active: bool
    consent_version: str
    bound_at: datetime
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None


class PhoneSession(Document):
    """A log-in of the mini-program. It carries what authenticates a request, so that one look-up is enough."""

    openid: str
    person_id: str | None
    name: str
    backbone: bool
    expires_at: datetime
    created_at: datetime
