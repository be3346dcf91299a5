"""The master key can be exchanged: what was encrypted is read under the new one, and under the old one no more (ASVS 5.0, 11.2.2)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from bson.binary import Binary
from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import SecretStr
from pymongo.encryption import ClientEncryption
from pymongo.errors import EncryptionError

from scripts import new_master_key
from server.accounts.fictional import make_person
from server.kernel.encryption import AWAY, Vault
from server.kernel.mongo import CODEC, Row
from server.kernel.platform import Platform
from server.settings import MASTER_KEY_BYTES

Database = AsyncIOMotorDatabase[Row]
NUMBER = make_person(7, "13").id_number


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode()


@pytest.fixture
async def db(platform: Platform) -> AsyncIterator[Database]:
    """Of its own, for the key of the tests' database serves them all."""
    client = platform.db.client
    yield client.get_database(f"{platform.db.name}-keys", codec_options=CODEC)
    await client.drop_database(f"{platform.db.name}-keys")


@pytest.fixture
def keys() -> tuple[str, str]:
    return new_key(), new_key()


async def reads(db: Database, key: str, sealed: Binary) -> bool:
    vault = await Vault.open(db, key)
    try:
        return await vault.decrypt([sealed]) == [NUMBER]
    finally:
        vault.close()


async def test_numbers_are_read_under_the_new_key_and_under_the_old_no_more(
    db: Database, keys: tuple[str, str]
) -> None:
    old, new = keys
    vault = await Vault.open(db, old)
    [sealed] = await vault.encrypt_searchable([NUMBER])
    vault.close()
    await Vault.rewrap(db, old, new)
    assert await reads(db, new, sealed)
    with pytest.raises(EncryptionError):
        await reads(db, old, sealed)
    vault = await Vault.open(db, new)
    assert await vault.encrypt_searchable([NUMBER]) == [sealed], "who is found by a number is found as before"
    vault.close()
    assert await db["encryption_keys"].count_documents({"masterKey.provider": "local"}) == 2


async def test_a_wrong_old_key_changes_nothing(db: Database, keys: tuple[str, str]) -> None:
    old, new = keys
    vault = await Vault.open(db, old)
    [sealed] = await vault.encrypt_random([NUMBER])
    vault.close()
    with pytest.raises(EncryptionError):
        await Vault.rewrap(db, new_key(), new)
    assert await reads(db, old, sealed)


async def test_whoever_was_cut_off_in_the_middle_goes_on(
    db: Database, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = keys
    vault = await Vault.open(db, old)
    [sealed] = await vault.encrypt_random([NUMBER])
    vault.close()
    with monkeypatch.context() as patched:
        patched.setattr("server.kernel.encryption.ClientEncryption", _cut_off_after_one())
        with pytest.raises(ConnectionError):
            await Vault.rewrap(db, old, new)
    assert await db["encryption_keys"].count_documents({"masterKey.provider": AWAY}) == 2
    await Vault.rewrap(db, old, new)
    assert await reads(db, new, sealed)


def _cut_off_after_one() -> Callable[..., ClientEncryption[Any]]:
    """Opens one encryption, and fails at the second."""
    opened: list[ClientEncryption[Any]] = []

    def open_one(*args: Any) -> ClientEncryption[Any]:
        if opened:
            raise ConnectionError
        opened.append(ClientEncryption(*args))
        return opened[0]

    return open_one


async def test_the_operator_changes_it_once_however_often_the_command_is_given(
    platform: Platform, db: Database, keys: tuple[str, str]
) -> None:
    old, new = keys
    settings = platform.settings.model_copy(
        update={"mongodb_database": db.name, "master_key": SecretStr(old)}
    )
    vault = await Vault.open(db, old)
    [sealed] = await vault.encrypt_random([NUMBER])
    vault.close()
    for _ in range(2):
        await new_master_key.change(settings, new)
        assert await reads(db, new, sealed)


def test_the_file_holds_the_one_key_or_the_other_and_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "master_key"
    for key in ("one", "another"):
        new_master_key.keep(file, key)
        assert file.read_text() == key and file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["master_key"]


def test_what_is_no_key_is_not_taken_for_one() -> None:
    assert new_master_key.is_a_key(new_key())
    for text in ("", "secret", base64.b64encode(bytes(95)).decode(), "*" * 128):
        assert not new_master_key.is_a_key(text)
