"""Real-name evidence: a provider's yes raises it to what that provider proves, and nothing else does."""

from __future__ import annotations

import logging

import pytest

from server.accounts import binding, people, real_name
from server.accounts import store as accounts_store
from server.accounts.real_name import BindFirst, FaceBegun, NotVerified, ProviderNotOffered
from server.accounts.rules import Evidence
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.wechat.errors import WeChatUnavailable
from server.wechat.faces import CertInfo, cert_hash
from server.wechat.simulator import Simulator
from server.wechat.world import Failure
from tests import cast, stage
from tests.stage import Phone

RESULT = "/cityservice/face/identify/queryverifyinfo"
BEGIN = "/cityservice/face/identify/getverifyid"
TRAINEE = cast.person(1)


@pytest.fixture
async def phone(platform: Platform, wechat: Simulator) -> Phone:
    """A trainee of a class, known by the roster."""
    held = await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())
    await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [TRAINEE])
    return await stage.phone(platform, wechat, "openid-of-trainee", TRAINEE)


async def evidence(platform: Platform, phone: Phone) -> Evidence:
    person = await accounts_store.person(platform, phone.actor.id)
    assert person is not None
    return Evidence(person.evidence)


async def begin(platform: Platform, phone: Phone) -> FaceBegun:
    return await real_name.begin_face(platform, phone.actor, "2026-11")


async def ask(platform: Platform, phone: Phone, verify_id: str) -> Evidence:
    person = await real_name.verify(platform, phone.actor, real_name.WECHAT_FACE, verify_id)
    return Evidence(person.evidence)


async def test_a_face_that_passed_makes_it_provider_verified_once(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED
    begun = await begin(platform, phone)
    wechat.world.show_face(phone.openid, begun.verify_id)
    for _ in range(2):
        assert await ask(platform, phone, begun.verify_id) is Evidence.PROVIDER_VERIFIED
    assert await evidence(platform, phone) is Evidence.PROVIDER_VERIFIED
    assert await platform["audit"].count_documents({"action": "accounts:verify-real-name"}) == 1
    assert wechat.world.calls[RESULT] == 1


@pytest.mark.parametrize("verify_ret", [None, 90001, 90004, 90017, 90199, 10001, 0])
async def test_any_other_outcome_raises_nothing(
    platform: Platform, wechat: Simulator, phone: Phone, verify_ret: int | None
) -> None:
    begun = await begin(platform, phone)
    if verify_ret is not None:
        wechat.world.show_face(phone.openid, begun.verify_id, verify_ret)
    with pytest.raises(NotVerified, match="工作人员核对身份证"):
        await ask(platform, phone, begun.verify_id)
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED


@pytest.mark.parametrize("failure", [-1, 90100, 45009, "gibberish", "disconnect"])
async def test_no_answer_is_no_evidence(
    platform: Platform, wechat: Simulator, phone: Phone, failure: Failure
) -> None:
    begun = await begin(platform, phone)
    wechat.world.show_face(phone.openid, begun.verify_id)
    wechat.world.fail(RESULT, failure)
    with pytest.raises(WeChatUnavailable):
        await ask(platform, phone, begun.verify_id)
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED
    wechat.world.heal()
    assert await ask(platform, phone, begun.verify_id) is Evidence.PROVIDER_VERIFIED


async def test_a_verification_that_failed_may_be_repeated(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    begun = await begin(platform, phone)
    with pytest.raises(NotVerified):
        await ask(platform, phone, begun.verify_id)
    wechat.world.show_face(phone.openid, begun.verify_id)
    assert await ask(platform, phone, begun.verify_id) is Evidence.PROVIDER_VERIFIED


async def test_nobody_uses_the_verification_of_another(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    held = await stage.open_class(platform, stage.actor(cast.YANGZHOU_OFFICER), stage.class_draft())
    await stage.enrol(platform, cast.YANGZHOU_OFFICER, held.id, [cast.STRANGER])
    stranger = await stage.phone(platform, wechat, "openid-of-stranger", cast.STRANGER)
    begun = await begin(platform, phone)
    wechat.world.show_face(phone.openid, begun.verify_id)
    with pytest.raises(NotFound):
        await ask(platform, stranger, begun.verify_id)
    assert await evidence(platform, stranger) is Evidence.ROSTER_MATCHED


async def test_a_phone_that_was_released_meanwhile_raises_nothing(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    begun = await begin(platform, phone)
    wechat.world.show_face(phone.openid, begun.verify_id)

    @transactional
    async def release(unit: UnitOfWork) -> None:
        await binding.release(unit, phone.actor.id, "换手机")

    await release(platform, stage.actor(cast.XINGTAI_OFFICER))
    with pytest.raises(BindFirst):
        await ask(platform, phone, begun.verify_id)
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED


async def correct_name(platform: Platform, phone: Phone) -> None:
    @transactional
    async def rename(unit: UnitOfWork) -> None:
        await people.rename(unit, phone.actor.id, "王试新")
        unit.audit("corrections:carry-out", phone.actor.id)

    await rename(platform, stage.actor(cast.XINGTAI_OFFICER))


async def test_a_name_that_is_corrected_is_not_the_one_that_was_verified(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    begun = await begin(platform, phone)
    wechat.world.show_face(phone.openid, begun.verify_id)
    await ask(platform, phone, begun.verify_id)
    await correct_name(platform, phone)
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED
    with pytest.raises(NotFound):  # what passed before says nothing of the new name
        await ask(platform, phone, begun.verify_id)
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED


async def test_a_name_that_is_corrected_while_the_provider_is_asked_is_not_verified(
    platform: Platform, wechat: Simulator, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = await begin(platform, phone)
    wechat.world.show_face(phone.openid, begun.verify_id)
    answer = platform.wechat.face_result

    async def slow(*asked: str) -> int:
        await correct_name(platform, phone)
        return await answer(*asked)

    monkeypatch.setattr(platform.wechat, "face_result", slow)
    with pytest.raises(NotVerified):
        await ask(platform, phone, begun.verify_id)
    assert await evidence(platform, phone) is Evidence.ROSTER_MATCHED


async def test_an_unbound_phone_is_told_to_bind_first(platform: Platform, wechat: Simulator) -> None:
    with pytest.raises(BindFirst):
        await begin(platform, await stage.phone(platform, wechat, "openid-unbound"))


async def test_an_online_provider_is_asked_only_where_it_is_set_up(platform: Platform, phone: Phone) -> None:
    platform.settings = platform.settings.model_copy(update={"wechat_app_id": "wxreal"})
    assert [one.name for one in real_name.offered(platform)] == ["roster"]
    with pytest.raises(ProviderNotOffered, match="工作人员核对身份证"):
        await begin(platform, phone)


@pytest.mark.parametrize(
    ("known", "verified"),
    [
        ((TRAINEE.name, TRAINEE.id_number), True),
        ((TRAINEE.name, "x"), False),
        (("别人", "x"), False),
        (None, False),
    ],
)
async def test_wechat_pay_proves_it_only_when_everything_matches(
    platform: Platform, wechat: Simulator, phone: Phone, known: tuple[str, str] | None, verified: bool
) -> None:
    wechat.world.phone(phone.openid).real_name = known
    code = wechat.world.give_code(phone.openid, "real-name")
    if verified:
        person = await real_name.verify(platform, phone.actor, real_name.WECHAT_PAY, code)
        assert person.evidence == Evidence.PROVIDER_VERIFIED
    else:
        with pytest.raises(NotVerified):
            await real_name.verify(platform, phone.actor, real_name.WECHAT_PAY, code)
    assert (await evidence(platform, phone) is Evidence.PROVIDER_VERIFIED) is verified


async def test_the_roster_proves_what_it_is_and_no_more(platform: Platform, phone: Phone) -> None:
    person = await real_name.verify(platform, phone.actor, real_name.ROSTER, "")
    assert person.evidence == Evidence.ROSTER_MATCHED
    assert not Evidence(person.evidence).is_real_name


async def test_no_number_of_a_card_gets_into_a_log(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await begin(platform, phone)
    wechat.world.fail(BEGIN, -1)
    with pytest.raises(WeChatUnavailable):
        await begin(platform, phone)
    assert TRAINEE.id_number not in caplog.text
    assert TRAINEE.id_number not in repr(CertInfo(TRAINEE.name, TRAINEE.id_number))


def test_the_hash_of_a_card_depends_on_each_of_its_fields() -> None:
    hashes = {cert_hash(CertInfo(name, number)) for name in ("王试", "李试") for number in ("1", "2")}
    assert len(hashes) == 4
    assert all(len(one) == 64 for one in hashes)
