"""Certificates over HTTP: one's own, and the public query."""

import pytest

from server.certificates.documents import Certificate
from server.certificates.issue import Revocation
from server.kernel import puzzles
from server.kernel.platform import Platform
from server.reissues import revoking
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser
from tests.api.client import call
from tests.asking import ask_by_phone, solved_of
from tests.certifying import issued, passed_class
from tests.printed import text_of
from tests.stage import ClassInSession


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def found(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await issued(platform, opened)


async def test_a_trainee_lists_reads_and_fetches_the_own_certificate(
    site: str, opened: ClassInSession, found: list[Certificate]
) -> None:
    token = opened.trainees[0].token
    listed = await call(site, "GET", "/certificates", token=token)
    [item] = listed.json["items"]
    assert (item["id"], item["number"], item["status"]) == (found[0].id, found[0].printed.number, "VALID")
    one = await call(site, "GET", f"/certificates/{found[0].id}", token=token)
    assert one.json == item
    assert item["verify_url"] == f"https://platform.test/verify/{found[0].token}"
    pdf = await call(site, "GET", f"/certificates/{found[0].id}/pdf", token=token)
    assert pdf.headers["Content-Type"] == "application/pdf"
    [person, _] = cast.people(2)
    assert person.id_number in text_of(pdf.body) and person.id_number not in str(item)
    png = await call(site, "GET", f"/certificates/{found[0].id}/png", token=token)
    assert png.headers["Content-Type"] == "image/png" and png.body.startswith(b"\x89PNG")
    image = await call(site, "GET", f"/certificates/{found[0].id}/image", token=token)
    assert image.headers["Content-Type"] == "image/jpeg" and len(image.body) < len(png.body)


async def test_somebody_elses_certificate_is_not_there(
    platform: Platform, wechat: Simulator, site: str, opened: ClassInSession, found: list[Certificate]
) -> None:
    unbound = await stage.phone(platform, wechat, "openid-nobody")
    for path in ("", "/pdf", "/png", "/image"):
        address = f"/certificates/{found[0].id}{path}"
        assert (await call(site, "GET", address, token=opened.trainees[1].token)).problem == "not-found"
        assert (await call(site, "GET", address, token=opened.teacher.token)).problem == "not-found"
        assert (await call(site, "GET", address, token=unbound.token)).problem == "real-name-needed"
        assert (await call(site, "GET", address)).problem == "not-signed-in"


async def test_a_revoked_certificate_is_shown_as_such_and_not_printed(
    platform: Platform, site: str, opened: ClassInSession, found: list[Certificate]
) -> None:
    await revoking.revoke(
        platform,
        opened.officer,
        found[0].id,
        Revocation(reason="姓名登记有误", typed=found[0].printed.number),
    )
    token = opened.trainees[0].token
    one = await call(site, "GET", f"/certificates/{found[0].id}", token=token)
    assert (one.json["status"], one.json["revoke_reason"]) == ("REVOKED", "姓名登记有误")
    pdf = await call(site, "GET", f"/certificates/{found[0].id}/pdf", token=token)
    assert (pdf.status, pdf.problem) == (409, "certificate-revoked")


async def test_anybody_checks_a_certificate_by_two_of_three(site: str, found: list[Certificate]) -> None:
    person = cast.people(2)[0]
    body = {"name": person.name, "certificate_number": found[0].printed.number}
    answer = await ask_by_phone(site, body)
    [item] = answer.json["items"]
    assert item["status"] == "VALID" and item["courses"] == list(found[0].printed.courses)
    assert item["id_number_masked"] == "*" * 14 + found[0].printed.id_number_masked[-4:]
    assert person.id_number not in answer.body.decode()
    assert not {"id", "person_id", "class_id", "token"} & item.keys()


async def test_every_miss_and_every_wrong_shape_is_answered_alike(
    site: str, found: list[Certificate]
) -> None:
    number = found[0].printed.number
    misses = [
        await ask_by_phone(site, body)
        for body in (
            {"name": cast.people(2)[1].name, "certificate_number": number},
            {"id_number": cast.STRANGER.id_number, "certificate_number": number},
            {"name": "x", "id_number": "y"},
        )
    ]
    assert {(one.status, one.problem, one.json["detail"]) for one in misses} == {
        (404, "certificate-not-found", misses[0].json["detail"])
    }
    for body in ({}, {"name": "甲"}, {"name": "甲", "id_number": "1", "certificate_number": "1"}):
        assert (await call(site, "POST", "/certificate-queries", body=body)).problem == "invalid"


async def test_guessing_is_stopped_and_the_page_counts_too(
    site: str, found: list[Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puzzles, "TRIES", 1)
    body = {"name": "甲乙", "certificate_number": found[0].printed.number}
    proofs = [await solved_of(site, level=8) for _ in range(21)]
    answers = [
        await call(site, "POST", "/certificate-queries", body={**body, "proof": proof}) for proof in proofs
    ]
    assert [answer.status for answer in answers] == [404] * 20 + [429]
    assert answers[-1].headers["Retry-After"]
    page = await Browser(site).post("/certificates/query", body)
    assert page.status == 429
