"""The centre's pages of messages: what became of them, dead letters, and the templates of WeChat."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.kernel.clock import beijing_date
from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.messages import delivery as messages
from server.messages import templates as message_templates
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in
from tests.messaging import KIND, SEND, received, state_of, subscribe, tell
from tests.stage import Phone

HOME = "/admin/messages"


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


@pytest.fixture
async def phone(platform: Platform, wechat: Simulator) -> Phone:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    await platform["outbox"].delete_many({})
    return held.trainees[0]


async def dead_letters(platform: Platform, wechat: Simulator, phone: Phone, count: int = 1) -> list[str]:
    await subscribe(platform, wechat, phone, count)
    told = await tell(platform, phone, count=count)
    wechat.world.fail(SEND, 40037)
    await messages.deliver(platform)
    wechat.world.heal()
    return told


async def test_a_dead_letter_shows_its_reason_and_no_personal_data(
    platform: Platform, wechat: Simulator, centre: Browser, phone: Phone
) -> None:
    [message] = await dead_letters(platform, wechat, phone)
    home = await centre.get("/admin")
    assert "发送失败的消息" in home.text
    for page in (await centre.get(HOME), await centre.get(f"{HOME}/{message}")):
        assert page.status == 200
        assert "模板编号无效，请核对消息模板（40037）" in page.text
        assert phone.actor.name not in page.text and phone.openid not in page.html
        assert "示例班" not in page.text  # what it says is between the platform and the person


async def test_a_dead_letter_is_sent_again_from_its_page(
    platform: Platform, wechat: Simulator, centre: Browser, phone: Phone
) -> None:
    [message] = await dead_letters(platform, wechat, phone)
    answer = await centre.post(f"{HOME}/{message}/send-again")
    assert answer.status == 303
    assert "已排入待发送" in (await centre.get(answer.location)).text
    twice = await centre.post(f"{HOME}/{message}/send-again")
    assert "已经有了别的结果" in (await centre.get(twice.location)).text
    await messages.deliver(platform)
    assert received(wechat, phone) == [message]


async def test_all_dead_letters_of_a_kind_are_sent_again_at_once(
    platform: Platform, wechat: Simulator, centre: Browser, phone: Phone
) -> None:
    await dead_letters(platform, wechat, phone, 3)
    other = await centre.post(f"{HOME}/send-again", {"kind": "enrolled"})
    assert "没有要再次发送的消息" in (await centre.get(other.location)).text
    answer = await centre.post(f"{HOME}/send-again", {"kind": KIND})
    assert "已将 3 条消息排入待发送" in (await centre.get(answer.location)).text
    await messages.deliver(platform)
    assert len(received(wechat, phone)) == 3


async def test_a_message_is_stopped_and_cannot_be_sent_again(
    platform: Platform, wechat: Simulator, centre: Browser, phone: Phone
) -> None:
    [message] = await dead_letters(platform, wechat, phone)
    answer = await centre.post(f"{HOME}/{message}/stop")
    page = await centre.get(answer.location)
    assert "不再通过微信发送" in page.text and "再次发送" not in page.html.partition("<dialog")[0]
    assert await state_of(platform, message) is State.STOPPED
    assert (
        "已经有了别的结果" in (await centre.get((await centre.post(f"{HOME}/{message}/stop")).location)).text
    )


async def test_every_state_has_a_page_and_an_empty_one_says_what_would_be_there(
    platform: Platform, centre: Browser, phone: Phone
) -> None:
    for state in State:
        page = await centre.get(f"{HOME}?state={state}")
        assert page.status == 200 and "没有" in page.text
    await tell(platform, phone)
    page = await centre.get(f"{HOME}?state=waiting&kind={KIND}")
    assert "成绩已公布" in page.text and "起发送" in page.text
    assert "没有这类消息" in (await centre.get(f"{HOME}?state=waiting&kind=enrolled")).text
    assert (await centre.get(f"{HOME}?state=nonsense&kind={'x' * 50}")).status == 200
    assert (await centre.get(f"{HOME}/{'0' * 24}")).status == 404


async def test_the_list_turns_its_pages(platform: Platform, centre: Browser, phone: Phone) -> None:
    told = await tell(platform, phone, count=25)
    first = await centre.get(f"{HOME}?state=waiting")
    assert told[-1] in first.html and told[0] not in first.html
    second = await centre.get(f"{HOME}?state=waiting&way={told[5]}")
    assert told[0] in second.html and told[5] not in second.html.partition("<tbody>")[2]


async def test_a_pause_is_told_with_the_moment_of_the_next_attempt(
    platform: Platform, wechat: Simulator, centre: Browser, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone)
    await tell(platform, phone)
    wechat.world.fail(SEND, 45009)
    await messages.deliver(platform)
    assert "微信当日额度已用完" in (await centre.get(HOME)).text


async def test_the_centre_sets_a_template_and_its_history_shows_it(
    platform: Platform, centre: Browser
) -> None:
    today = beijing_date(platform.clock.now())
    table = await centre.get(f"{HOME}/templates")
    assert "“〔培训班〕”的成绩已公布" in table.text
    form = {"template_id": "AbC_-1", "keys": " thing6 ", "effective_from": str(today), "reason": "公共模板"}
    answer = await centre.save(f"{HOME}/templates/{KIND}", form)
    assert answer.status == 303
    assert "AbC_-1" in (await centre.get(answer.location)).text
    page = await centre.get(f"{HOME}/templates/{KIND}")
    assert "AbC_-1 thing6" in page.text
    assert (await message_templates.templates_on(platform, today))[KIND].keys == ("thing6",)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"template_id": "模板"}, "template_id"),
        ({"keys": ""}, "keys"),
        ({"keys": "thing1 thing2"}, "keys"),
        ({"keys": "date1"}, "keys"),
        ({"keys": "thing1; drop"}, "keys"),
        ({"effective_from": ""}, "effective_from"),
        ({"reason": "x"}, "reason"),
    ],
)
async def test_a_wrong_template_is_refused_at_its_field(
    platform: Platform, centre: Browser, changes: dict[str, str], place: str
) -> None:
    tomorrow = beijing_date(platform.clock.now()) + timedelta(days=1)
    form = {"template_id": "T", "keys": "thing1", "effective_from": str(tomorrow), "reason": "公共模板"}
    answer = await centre.save(f"{HOME}/templates/{KIND}", {**form, **changes})
    assert answer.status == 422 and f'id="field-{place}-error"' in answer.html
    assert (await centre.get(f"{HOME}/templates/unknown")).status == 404
    assert await platform["message_templates"].count_documents({}) == 0
