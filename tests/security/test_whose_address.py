"""Nobody gets around a limit by saying that they come from elsewhere."""

from collections.abc import Sequence

import pytest

from server.kernel.addresses import networks
from server.kernel.front_door import Limits
from server.kernel.platform import Platform
from server.settings import Settings
from server.wechat.simulator import Simulator
from tests import opening
from tests.security import raw

FORMS = {"content_type": "application/x-www-form-urlencoded", "accept": "text/html"}
BEHIND_A_PROXY = Limits(proxies=networks("127.0.0.1"))
RATE = 60
"""Of sign-ins from one address in a minute."""


async def tried(site: str, times: int, *headers: dict[str, str]) -> Sequence[int]:
    """Statuses of so many tries to sign in, each with the next of the headers."""
    page = await raw.ask(site, "GET", "/admin/login", accept="text/html")
    name, _, token = page.headers["Set-Cookie"].partition(";")[0].partition("=")
    answers = []
    for number in range(times):
        body = f"_xsrf={token}&username=nobody-{number}&password=wrong-2026".encode()
        answer = await raw.ask(
            site,
            "POST",
            "/admin/login",
            body,
            cookie=f"{name}={token}",
            **FORMS,
            **headers[number % len(headers)],
        )
        answers.append(answer.status)
    return answers


async def test_an_address_that_is_made_up_anew_each_time_escapes_no_limit(
    platform: Platform, wechat: Simulator
) -> None:
    """With a proxy: it appends the real address, and passes on what a client said in other headers."""
    made_up = [
        {
            "x_real_ip": f"198.51.100.{n}",
            "x_forwarded_for": f"198.51.100.{n}, 203.0.113.9",
            "forwarded": f"for=198.51.100.{n}",
        }
        for n in range(RATE + 1)
    ]
    async with opening.served(platform, wechat, BEHIND_A_PROXY) as (site, _):
        answers = await tried(site, RATE + 1, *made_up)
    assert answers[-1] == 429 and 429 not in answers[:RATE]


async def test_without_a_proxy_no_header_is_believed(platform: Platform, wechat: Simulator) -> None:
    made_up = [
        {"x_real_ip": f"198.51.100.{n}", "x_forwarded_for": f"198.51.100.{n}"} for n in range(RATE + 1)
    ]
    async with opening.served(platform, wechat) as (site, _):
        assert (await tried(site, RATE + 1, *made_up))[-1] == 429


async def test_behind_a_proxy_each_client_has_a_limit_of_its_own(
    platform: Platform, wechat: Simulator
) -> None:
    theirs = [{"x_forwarded_for": f"203.0.113.{n}"} for n in range(RATE + 1)]
    async with opening.served(platform, wechat, BEHIND_A_PROXY) as (site, _):
        assert 429 not in await tried(site, RATE + 1, *theirs)


def test_the_setting_that_believed_anybody_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_BEHIND_PROXY", "true")
    with pytest.raises(ValueError, match="PLATFORM_PROXIES"):
        Settings()
