"""A seal as its institution filed it, a key that signs certificates, and the platform's own authority, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from bson.binary import Binary

from server.kernel import offices
from server.kernel.found import Found
from server.kernel.history import Step
from server.kernel.mongo import Document, Row
from server.kernel.offices import Said
from server.kernel.reviewed import Reviewed, decided
from server.kernel.titled import Titled
from server.seals.rules import Action, State

PAGE = "/admin/seals"


def page_of(institution_code: str) -> str:
    """The page of an institution's seal and keys."""
    return f"/admin/institutions/{institution_code}/signing"


class Seal(Found, Reviewed):
    """One version of an institution's seal (印章). Never deleted: certificates that were printed with it keep it."""

    collection = "seals"
    actions = Action
    in_hand: ClassVar[Row] = {"$or": [{"open": True}, {"in_force": True}]}

    institution_code: str
    institution_name: str
    province_code: str
    version: int
    """Its version: 1, 2, 3 … of the institution."""
    media_type: str
    """Of `content`: image/png."""
    content: bytes
    """As it was checked and written anew by us, not as it was uploaded."""
    size: str
    """Of the drawing, in words: 800 × 800."""
    cleared: bool
    """A white ground was made transparent."""
    uploaded: str
    """SHA-256 of what was uploaded, hexadecimal."""
    state: State = State.SUBMITTED
    open: bool = True
    """It waits for the province; for the unique index."""
    in_force: bool = False
    """It is pressed on certificates; for the unique index."""

    @property
    def named(self) -> str:
        return f"{self.institution_name}的印章（第 {self.version} 版）"

    @property
    def address(self) -> str:
        return f"{PAGE}/{self.id}"

    def tells(self, taken: Step) -> Sequence[Said]:
        if taken.action not in (Action.APPROVE, Action.RETURN):
            return []
        words = f"印章（第 {self.version} 版）：{self.state.label}"
        return decided(self.institution_code, words, self.address, taken, back=taken.action == Action.RETURN)

    def names(self) -> Iterable[str]:
        return (self.institution_name,)

    def facets(self) -> Iterable[tuple[str, object]]:
        return (("state", self.state),)


class KeyOrigin(Titled):
    OWN = "OWN", "机构自有"
    PLATFORM = "PLATFORM", "平台签发"


class KeyState(Titled):
    IN_FORCE = "IN_FORCE", "使用中"
    REPLACED = "REPLACED", "已更换"
    WITHDRAWN = "WITHDRAWN", "已停用"


SELF_SIGNED = "自签证书"


class SigningKey(Document):
    """A key that signs, or signed, certificates of an institution. The row stays, so that what it signed is known as ours."""

    institution_code: str
    province_code: str
    institution_name: str
    origin: KeyOrigin
    key: Binary | None
    """PKCS#8, encrypted for this row alone (kernel.encryption); None once it is out of force: it will never sign again."""
    chain: list[bytes]
    """Certificates in DER, the signer's first."""
    fingerprint: str
    """SHA-256 of the signer's certificate, hexadecimal."""
    vouched: Binary
    """The fingerprint once more, encrypted for this row: whoever writes into the database can put no certificate beside ours."""
    subject: str
    issuer: str
    algorithm: str
    valid_from: datetime
    valid_to: datetime
    state: KeyState = KeyState.IN_FORCE
    current: bool = True
    """As its state says, for the unique index."""
    made_at: datetime
    made_by: str
    ended_at: datetime | None = None
    ended_by: str = ""
    reason: str = ""
    """Why it is out of force."""
    warned: int | None = None
    """How many days before its end the institution was told last; None: not yet."""

    @property
    def own(self) -> bool:
        return self.origin is KeyOrigin.OWN

    @property
    def signer(self) -> str:
        """Who signs, as the public reads it: whose key we know it to be, and then what its certificate says."""
        if not self.own:
            return self.subject
        by = self.issuer if self.issuer == SELF_SIGNED else f"由“{self.issuer}”颁发"
        return f"{self.institution_name}（自有密钥，证书主体“{self.subject}”，{by}）"


class SigningAuthority(Document):
    """The platform's own authority (CA). `id` counts them: "0001" is the first, and the last is the one that issues."""

    key: Binary
    certificate: str
    """PEM."""
    valid_to: datetime
    made_at: datetime


def told_key_ends(key: SigningKey, days: int) -> Said:
    """What an institution hears of the end of its own key."""
    words = (
        f"本单位的证书签名密钥将于 {days} 天后到期，请及时更换，到期后不能核发证书。"
        if days > 0
        else "本单位的证书签名密钥已到期，不能再核发证书，请更换密钥；停用后由平台代签。"
    )
    return Said(
        offices.institution(key.institution_code),
        offices.Topic.EXPIRING,
        words,
        page_of(key.institution_code),
    )
