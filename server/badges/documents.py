"""What is kept of the credentials: the key that signs them, and the place of each in the public list of states."""

from __future__ import annotations

from datetime import datetime

from bson.binary import Binary

from server.kernel.mongo import Document


class BadgeKey(Document):
    """The platform's own key for credentials, P-256. `id` is the name of its algorithm: there is one."""

    sealed: Binary
    """The private key as JWK, encrypted as personal data is."""
    made_at: datetime


class BadgeEntry(Document):
    """`id` is the certificate's. It keeps its place for ever: whoever has the credential asks for it there."""

    place: int
    """In the list of states, counted from 0 through all lists."""
    at: datetime
