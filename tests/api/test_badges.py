"""The certificate as Open Badges 3.0, checked by an implementation that is not ours (openbadgeslib, which the platform does not import)."""

from __future__ import annotations

import hashlib
from typing import Any

import jwt
import pytest
from openbadgeslib.ob3.status import decode_encoded_list, set_indices
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier

from server.certificates.documents import CertificateStatus
from server.certificates.issue import Revocation
from server.certificates.rules import parse_serial
from server.kernel.platform import Platform
from server.reissues import revoking
from server.wechat.simulator import Simulator
from tests import cast
from tests.admin.browserless import Browser
from tests.api.client import call
from tests.certifying import issued, passed_class

UNCHECKED: dict[str, Any] = {"options": {"verify_signature": False}}
HOME = "https://platform.test"


async def test_another_program_verifies_the_credential_and_sees_its_revocation(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await passed_class(platform, wechat, 2)
    found, replaced = await issued(platform, opened)
    person = cast.people(2)[0]
    phones = [one.token for one in opened.trainees]
    [answer, other] = [
        await call(site, "GET", f"/certificates/{found.id}/credential", token=token) for token in phones
    ]
    assert other.status == 404
    token = answer.json["credential"]
    again = await call(site, "GET", f"/certificates/{found.id}/credential", token=phones[0])

    async def public() -> dict[str, bytes]:
        addresses = ("/.well-known/did.json", f"/credentials/status/{cast.XINGTAI}")
        return {f"{HOME}{one}": (await Browser(site).get(one)).html.encode() for one in addresses}

    pages = await public()
    verifier = OB3Verifier.for_issuer_did(answer.json["did"], download=pages.__getitem__)
    verified = verifier.verify(token, check_status=True, verify_status_list=True, download=pages.__getitem__)
    assert verified.achievement.name == found.printed.level.training
    claims = jwt.decode(token, **UNCHECKED)
    subject = claims["credentialSubject"]
    assert (subject["licenseNumber"], subject["creditsEarned"]) == (found.printed.number, 80.0)
    named, numbered = subject["identifier"]
    assert named["identityHash"] == f"sha256${_hash(person.name + named['salt'])}"
    assert numbered["identityHash"] == f"sha256${_hash(person.id_number + answer.json['identity_salt'])}"
    assert "salt" not in numbered and person.id_number not in str(claims)
    status = jwt.decode(again.json["credential"], **UNCHECKED)["credentialStatus"]
    assert status == claims["credentialStatus"], "its place in the list is its own for ever"

    changed = token.split(".")
    changed[1] = changed[1][:-4] + ("AAAA" if changed[1][-4:] != "AAAA" else "BBBB")
    with pytest.raises(OB3VerificationError):
        verifier.verify(".".join(changed))
    why = Revocation(reason="姓名登记有误", typed=found.printed.number)
    await revoking.revoke(platform, opened.officer, found.id, why)
    pages = await public()
    with pytest.raises(OB3VerificationError, match="revocation"):
        verifier.verify(token, check_status=True, verify_status_list=True, download=pages.__getitem__)
    superseded = {"$set": {"status": CertificateStatus.REISSUED, "current": False}}
    await platform["certificates"].update_one({"_id": replaced.id}, superseded)
    listed = jwt.decode((await public())[claims["credentialStatus"]["statusListCredential"]], **UNCHECKED)
    bits = set_indices(decode_encoded_list(listed["credentialSubject"]["encodedList"]))
    assert bits == {parse_serial(one.printed.serial).order for one in (found, replaced)}
    refused = await call(site, "GET", f"/certificates/{found.id}/credential", token=phones[0])
    assert (refused.status, refused.problem) == (409, "certificate-not-in-force")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
