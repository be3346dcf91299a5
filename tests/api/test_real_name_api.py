"""Real-name evidence over HTTP: the ways there are, the face that nobody has to show, and what is told when it fails."""

from __future__ import annotations

import pytest

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import Answer, call
from tests.stage import Phone


@pytest.fixture
async def phone(platform: Platform, wechat: Simulator) -> Phone:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    return held.trainees[0]


async def ask(site: str, phone: Phone, path: str, **body: str) -> Answer:
    return await call(site, "POST", f"/real-name{path}", token=phone.token, body=body)


async def test_a_face_makes_it_provider_verified(site: str, wechat: Simulator, phone: Phone) -> None:
    begun = await ask(site, phone, "/face", consent_version="2026-11")
    assert begun.status == 201 and begun.json["expires_at"].endswith("Z")
    shown = {"verify_id": begun.json["verify_id"]}
    early = await ask(site, phone, "/face/result", **shown)
    assert (early.status, early.problem) == (422, "not-verified")
    assert "工作人员核对身份证" in early.json["detail"]
    wechat.world.show_face(phone.openid, **shown)
    done = await ask(site, phone, "/face/result", **shown)
    assert done.status == 200
    assert done.json["evidence"]["level"] == "provider_verified"
    assert "*" in done.json["id_number_masked"]


async def test_there_is_always_a_way_without_a_face(site: str, phone: Phone) -> None:
    answer = await call(site, "GET", "/real-name/providers", token=phone.token)
    assert [one["name"] for one in answer.json["items"]] == ["roster", "wechat-face", "wechat-pay"]


async def test_an_unbound_phone_is_told_what_to_do(platform: Platform, site: str, wechat: Simulator) -> None:
    stranger = await stage.phone(platform, wechat, "openid-unbound")
    answer = await ask(site, stranger, "/face", consent_version="2026-11")
    assert (answer.status, answer.problem) == (409, "bind-first")


async def test_a_wechat_that_is_down_is_told_as_such(site: str, wechat: Simulator, phone: Phone) -> None:
    wechat.world.fail("/cityservice/face/identify/getverifyid", -1)
    answer = await ask(site, phone, "/face", consent_version="2026-11")
    assert (answer.status, answer.problem) == (503, "wechat-unavailable")
