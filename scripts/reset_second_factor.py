"""Takes the second factor off an account, for whoever operates the server: nobody of the centre is left who could.

Works on the database of MONGODB_URI, or on that of --data-dir while the server is stopped. The audit trail notes it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from server.__main__ import open_platform
from server.accounts import staff
from server.kernel.clock import SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod, MongodUnavailable
from server.kernel.errors import Problem
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.settings import Settings
from server.upgrades.runner import DatabaseNewer

OPERATOR = system("reset-second-factor")


async def reset(platform: Platform, username: str) -> None:
    """Raises NotFound, Conflict when the account has none."""
    account = await staff.account_called(platform, username)
    await staff.reset_second_factor(platform, OPERATOR, account.id, "服务器运维人员重置")


async def run(settings: Settings, username: str) -> None:
    platform = await open_platform(settings, SystemClock())
    try:
        await reset(platform, username)
    finally:
        platform.limiter.close()
        platform.vault.close()
        platform.db.client.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/reset-second-factor", description="重置一个账号的两步验证")
    parser.add_argument("username", help="username of the account, such as centre")
    parser.add_argument("--data-dir", type=Path, default=Path(".data"), help="that of the server (.data)")
    options = parser.parse_args()
    settings = Settings(data_dir=options.data_dir)
    mongod = None if settings.mongodb_uri else EmbeddedMongod(settings.data_dir)
    try:
        if mongod:
            settings = settings.model_copy(update={"mongodb_uri": mongod.start()})
        asyncio.run(run(settings.with_secrets(), options.username))
    except MongodUnavailable as reason:
        print(f"数据库无法启动（服务器正在运行时请先停止）：{reason}", file=sys.stderr)
        return 1
    except DatabaseNewer as reason:
        print(reason, file=sys.stderr)
        return 1
    except Problem as problem:
        print(problem.detail, file=sys.stderr)
        return 1
    finally:
        if mongod:
            mongod.stop()
    print(f"账号 {options.username} 的两步验证已重置，下次凭密码登录后重新开通。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
