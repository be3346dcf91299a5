"""Log-in and real names over HTTP."""

import pytest

from miniprogram_api.me import WaitingAnswer
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import Answer, call
from tests.cast import Person
from tests.stage import Phone


async def bind(site: str, phone: Phone, name: str, id_number: str) -> Answer:
    body = {"name": name, "id_number": id_number, "consent_version": "2026-11"}
    return await call(site, "POST", "/real-name", token=phone.token, body=body)


@pytest.fixture
async def roster(platform: Platform, wechat: Simulator) -> list[Person]:
    """Two people on a roster whose phones are not bound yet."""
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    people = [cast.TRAINEE, cast.SECOND_TRAINEE]
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, people)
    return people


async def test_a_code_of_wechat_opens_a_session_that_says_it_is_unbound(site: str, wechat: Simulator) -> None:
    answer = await call(site, "POST", "/login", body={"code": wechat.world.give_code("openid-1")})
    assert answer.status == 200 and answer.json["bound"] is False
    me = await call(site, "GET", "/me", token=answer.json["token"])
    nothing = dict.fromkeys(WaitingAnswer.model_fields, 0)
    unbound: dict[str, object] = {"bound": False, "person": None, "roles": []}
    told = dict(me.json)
    assert told.pop("identity")["state"] == "NOBODYS"
    assert told == unbound | {"waiting": nothing, "unread_messages": 0}


async def test_a_code_serves_once(site: str, wechat: Simulator) -> None:
    code = wechat.world.give_code("openid-1")
    await call(site, "POST", "/login", body={"code": code})
    again = await call(site, "POST", "/login", body={"code": code})
    assert (again.status, again.problem) == (422, "wechat-code-invalid")


async def test_somebody_on_a_roster_binds_and_may_send_it_twice(
    platform: Platform, wechat: Simulator, site: str, roster: list[Person]
) -> None:
    phone = await stage.phone(platform, wechat, "openid-1")
    first = await bind(site, phone, roster[0].name, roster[0].id_number)
    again = await bind(site, phone, roster[0].name, roster[0].id_number.lower())
    assert first.status == again.status == 200 and first.json == again.json
    assert roster[0].id_number not in first.body.decode()
    assert first.json["evidence"]["level"] == "roster_matched"
    me = await call(site, "GET", "/me", token=phone.token)
    assert me.json["person"]["name"] == roster[0].name and me.json["roles"] == ["TRAINEE"]


async def test_a_wrong_name_and_a_wrong_number_are_refused_in_the_same_words(
    platform: Platform, wechat: Simulator, site: str, roster: list[Person]
) -> None:
    phone = await stage.phone(platform, wechat, "openid-1")
    wrong_name = await bind(site, phone, roster[1].name, roster[0].id_number)
    wrong_number = await bind(site, phone, roster[0].name, cast.STRANGER.id_number)
    assert wrong_name.status == wrong_number.status == 404
    assert wrong_name.problem == "not-on-a-roster"
    assert wrong_name.json["detail"] == wrong_number.json["detail"]


async def test_one_person_one_phone_and_one_phone_one_person(
    platform: Platform, wechat: Simulator, site: str, roster: list[Person]
) -> None:
    mine = await stage.phone(platform, wechat, "openid-1", roster[0])
    other = await stage.phone(platform, wechat, "openid-2")
    taken = await bind(site, other, roster[0].name, roster[0].id_number)
    second = await bind(site, mine, roster[1].name, roster[1].id_number)
    assert (taken.status, taken.problem) == (second.status, second.problem) == (409, "already-bound")


async def test_a_number_with_a_typing_error_is_named_before_any_look_up(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    phone = await stage.phone(platform, wechat, "openid-1")
    number = cast.TRAINEE.id_number
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    answer = await bind(site, phone, cast.TRAINEE.name, wrong)
    assert (answer.status, answer.problem) == (422, "id-number-invalid")


async def test_guessing_names_and_numbers_is_stopped(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    phone = await stage.phone(platform, wechat, "openid-1")
    answers = [await bind(site, phone, cast.TRAINEE.name, cast.TRAINEE.id_number) for _ in range(11)]
    assert [answer.status for answer in answers] == [404] * 10 + [429]
    assert answers[-1].headers["Retry-After"]


async def test_without_a_token_nothing_is_told(site: str) -> None:
    answer = await call(site, "GET", "/me")
    assert (answer.status, answer.problem) == (401, "not-signed-in")


async def test_an_unknown_address_answers_with_a_problem(site: str) -> None:
    answer = await call(site, "GET", "/nothing-here")
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_the_consent_in_force_is_read_and_any_other_is_refused(
    platform: Platform, wechat: Simulator, site: str, roster: list[Person]
) -> None:
    current = (await call(site, "GET", "/consents/current")).json
    assert {one["purpose"] for one in current["items"] if not one["needed"]} == {
        "location",
        "face",
        "messages",
    }
    assert all(one["withdrawal"] for one in current["items"])
    phone = await stage.phone(platform, wechat, "openid-1")
    body = {"name": roster[0].name, "id_number": roster[0].id_number, "consent_version": "2020-01"}
    refused = await call(site, "POST", "/real-name", token=phone.token, body=body)
    assert (refused.status, refused.problem) == (409, "consent-outdated")
    agreed = body | {"consent_version": current["version"]}
    assert (await call(site, "POST", "/real-name", token=phone.token, body=agreed)).status == 200
