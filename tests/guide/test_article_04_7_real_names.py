"""第四条（七）：培训机构应……做到参训教师全实名、培训过程可追溯。"""

from __future__ import annotations

import pytest

from server.accounts import phones
from server.accounts.phones import State
from server.accounts.speakers import digits_of
from server.assessment import submissions
from server.identities import service as identities
from server.identities.service import Asked, Digits
from server.kernel import audit
from server.kernel.errors import NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.assessing import set_task

HEBEI = stage.actor(cast.HEBEI_OFFICER)


async def test_a_trainee_acts_under_a_real_name_that_somebody_has_proved(
    platform: Platform, wechat: Simulator
) -> None:
    """全实名: who has shown nothing but a name and a number hands nothing in, and is told what to do."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [cast.TRAINEE])
    task = await set_task(platform, held)
    phone = await stage.phone(platform, wechat, "openid", cast.TRAINEE, proved=False)
    with pytest.raises(NotFound, match="按提示确认"):
        await submissions.begin_upload(platform, phone.actor, task.id)
    seen = await phones.standing(platform, phone.actor)
    assert seen.state is State.WAITING and "身份证" in phones.advice(seen)
    shown = Digits(phone_digits=digits_of(platform, phone.openid))
    await identities.confirm_phone(platform, held.officer, held.id, person_id, shown)
    proved = await stage.phone(platform, wechat, "openid")
    assert await submissions.begin_upload(platform, proved.actor, task.id)


async def test_whose_phone_it_was_and_who_released_it_can_be_followed(
    platform: Platform, wechat: Simulator
) -> None:
    """过程可追溯: with the card that was seen, who asked, who decided and why."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    person_id = held.trainees[0].actor.person_id
    wanted = Asked(reason="核对身份证原件，原手机遗失")
    asked = await identities.ask(platform, held.officer, held.id, person_id, wanted)
    await identities.release(platform, HEBEI, asked.id, Review(seen=1))
    of_class = [one["action"] for one in await audit.of_subject(platform, held.id)]
    assert {"identities:ask-release", "identities:release"} <= set(of_class)
    of_person = await audit.of_subject(platform, person_id)
    assert {"accounts:bind-real-name", "accounts:release-binding"} <= {one["action"] for one in of_person}
    kept = await platform["bindings"].find_one({"person_id": person_id})
    assert kept is not None and kept["release_reason"] == wanted.reason and kept["proofs"]
