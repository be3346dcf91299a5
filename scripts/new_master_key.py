"""Puts another master key in the place of the present one, while all servers are stopped; numbers and phones stay as they are encrypted.

The new one is PLATFORM_NEW_MASTER_KEY, base64 of 96 random bytes (`openssl rand -base64 96 | tr -d '\\n'`). The old one is where the server
finds it: PLATFORM_MASTER_KEY, or a file below the data directory, which then holds the new one. Cut off, it may be run again.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import os
import sys
from pathlib import Path

from pymongo.errors import EncryptionError

from server.kernel.embedded_mongod import EmbeddedMongod, MongodUnavailable
from server.kernel.encryption import Vault
from server.kernel.mongo import connect
from server.settings import MASTER_KEY_BYTES, Settings

NEW = "PLATFORM_NEW_MASTER_KEY"


async def change(settings: Settings, new: str) -> None:
    """Raises EncryptionError where the key of `settings` is not the present one."""
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    try:
        if not await is_present(settings, new):
            await Vault.rewrap(db, settings.master_key.get_secret_value(), new)
    finally:
        db.client.close()


async def is_present(settings: Settings, key: str) -> bool:
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    vault = await Vault.open(db, key)
    try:
        await vault.encrypt_random(["?"])
    except EncryptionError:
        return False
    finally:
        vault.close()
        db.client.close()
    return True


def keep(file: Path, key: str) -> None:
    """The whole of it, or as it was."""
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with open(beside, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        out.write(key)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)


def is_a_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == MASTER_KEY_BYTES
    except binascii.Error:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/new-master-key", description="更换主密钥")
    parser.add_argument("--data-dir", type=Path, default=Path(".data"), help="that of the server (.data)")
    options = parser.parse_args()
    new = os.environ.get(NEW, "").strip()
    if not is_a_key(new):
        print(f"请把新的主密钥放入 {NEW}：{MASTER_KEY_BYTES} 个随机字节的 base64。", file=sys.stderr)
        return 1
    settings = Settings(data_dir=options.data_dir)
    given = bool(settings.master_key.get_secret_value())
    mongod = None if settings.mongodb_uri else EmbeddedMongod(settings.data_dir)
    try:
        if mongod:
            settings = settings.model_copy(update={"mongodb_uri": mongod.start()})
        asyncio.run(change(settings.with_secrets(), new))
    except MongodUnavailable as reason:
        print(f"数据库无法启动（服务器正在运行时请先停止）：{reason}", file=sys.stderr)
        return 1
    except EncryptionError:
        print("现在的主密钥不是这个数据库的，什么都没有改变。", file=sys.stderr)
        return 1
    finally:
        if mongod:
            mongod.stop()
    if given:
        print("主密钥已更换。请在所有服务器上把 PLATFORM_MASTER_KEY 改为新的再启动，并另存一份。")
    else:
        keep(settings.data_dir / "secrets" / "master_key", new)
        print("主密钥已更换，数据目录中的也已换成新的。请另存一份；旧的保留到旧备份不再需要时。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
