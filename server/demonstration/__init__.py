"""`--demo`: two classes of fictional people, lived through by the same services as everybody's, only faster.

One class of 邢台技师学院 is over and has its certificates, under a seal that nobody takes for one; one of them was lost and issued again,
and a forged one was reported. Another class, of 30 trainees, is in the middle of its life with a session going on now. Two teachers of
the pool and a base have done nothing for long, and dynamic management has noticed. The clock of each step is the moment at which it
would have happened. Loaded once; a database that has accounts is left as it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from server.accounts import sign_in, staff
from server.accounts.staff import AccountDraft
from server.demonstration.life import Life
from server.demonstration.stage import Stage
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor, Role, system
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.wechat.world import World

CENTRE, PROVINCE, BASE = "centre", "hebei", "xingtai"
ACCOUNTS = (
    AccountDraft(username=CENTRE, name="部指导中心 示例管理员", role=Role.NATIONAL_CENTRE),
    AccountDraft(username=PROVINCE, name="河北省 示例管理员", role=Role.PROVINCE, province_code="13"),
    AccountDraft(
        username=BASE,
        name="邢台技师学院 示例班主任",
        role=Role.TRAINING_BASE,
        province_code="13",
        institution_code="009",
    ),
    AccountDraft(
        username="changzhou",
        name="江苏省常州技师学院 示例班主任",
        role=Role.TRAINING_CENTRE,
        province_code="32",
        institution_code="017",
    ),
)


def password_of(platform: Platform, username: str) -> str:
    """The demonstration's password of an account: the same at each start of this installation, unknown elsewhere."""
    key = platform.settings.cookie_secret.get_secret_value().encode()
    digest = hmac.digest(key, f"demonstration:{username}".encode(), hashlib.sha256)
    return f"{base64.b32encode(digest)[:10].decode().lower()}-26"


async def ensure(platform: Platform, wechat: World) -> dict[str, str]:
    """Loads the demonstration into an empty platform; returns the accounts and their passwords.

    They are also written to `data_dir/secrets/demo-accounts.json`, readable by the owner alone, where `scripts/demo` finds them.
    """
    passwords = {draft.username: password_of(platform, draft.username) for draft in ACCOUNTS}
    if not await staff.any_account(platform):
        await _without_second_factor(platform)
        officers = {
            draft.username: await _open_account(platform, draft, passwords[draft.username])
            for draft in ACCOUNTS
        }
        stage = Stage(platform, wechat, officers[CENTRE], officers[PROVINCE], officers[BASE])
        await Life(stage).live()
    _keep(platform, passwords)
    return passwords


async def _without_second_factor(platform: Platform) -> None:
    """Whoever looks at the demonstration has no authenticator app at hand; the greeting says that this is off."""
    off = PolicyChange(
        key="second_factor_required",
        value=False,
        effective_from=beijing_date(platform.clock.now()),
        reason="演示：看演示的人手边没有验证器",
    )
    await policies.change(platform, system("demonstration"), off)


def _keep(platform: Platform, passwords: dict[str, str]) -> None:
    path = platform.settings.data_dir / "secrets" / "demo-accounts.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(json.dumps(passwords))


async def _open_account(platform: Platform, draft: AccountDraft, password: str) -> Actor:
    account, first = await staff.allocate(platform, system("demonstration"), draft)
    actor = staff.actor_of(account)
    await sign_in.change_password(platform, actor, first, password)
    return actor
