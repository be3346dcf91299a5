"""Personal data in the database: MongoDB's explicit field encryption (libmongocrypt, AEAD AES-256-CBC HMAC-SHA-512).

ID numbers and phones are encrypted deterministically, so that equal ones are found equal; what nobody looks for, at random: also the number
of a claim that nobody has checked (server/decisions/0027). Private keys lie under a data key of their own.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

from bson.binary import STANDARD, Binary
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import MongoClient
from pymongo.encryption import ClientEncryption
from pymongo.encryption_shared import Algorithm
from pymongo.errors import DuplicateKeyError, EncryptionError

KEY_NAME = "personal-data"
SECRETS_KEY_NAME = "signing-keys"
AWAY = "local:new_key"
"""Who wraps a data key between its old master key and its new one."""


class Vault:
    """Encrypts and decrypts in batches, each in one thread hop: a value costs tens of microseconds, a hop costs more."""

    def __init__(self, encryption: ClientEncryption[Any]) -> None:
        self._encryption = encryption

    @classmethod
    async def open(cls, db: AsyncIOMotorDatabase[dict[str, Any]], master_key: str) -> Vault:
        """The vault of this database; makes its data keys at the first start.

        `master_key` is the base64 of 96 bytes that wraps the data key.
        """
        return await asyncio.to_thread(cls._open, db, master_key)

    @classmethod
    def _open(cls, db: AsyncIOMotorDatabase[dict[str, Any]], master_key: str) -> Vault:
        client: MongoClient[dict[str, Any]] = db.client.delegate
        keys = client[db.name]["encryption_keys"]
        keys.create_index(
            "keyAltNames", unique=True, partialFilterExpression={"keyAltNames": {"$exists": True}}
        )
        encryption: ClientEncryption[Any] = ClientEncryption(
            {"local": {"key": base64.b64decode(master_key)}},
            f"{db.name}.encryption_keys",
            client,
            CodecOptions(uuid_representation=STANDARD),
        )
        for name in (KEY_NAME, SECRETS_KEY_NAME):
            if encryption.get_key_by_alt_name(name) is None:
                try:
                    encryption.create_data_key("local", key_alt_names=[name])
                except (DuplicateKeyError, EncryptionError):
                    if (
                        encryption.get_key_by_alt_name(name) is None
                    ):  # not merely another process that was first
                        raise
        return cls(encryption)

    @classmethod
    async def rewrap(cls, db: AsyncIOMotorDatabase[dict[str, Any]], old: str, new: str) -> None:
        """Wraps the data key with another master key; what is encrypted stays as it is. Servers take the new one at their next start.

        Cut off, it may be run again. Raises EncryptionError where `old` is not the present one.
        """
        await asyncio.to_thread(cls._rewrap, db, old, new)

    @classmethod
    def _rewrap(cls, db: AsyncIOMotorDatabase[dict[str, Any]], old: str, new: str) -> None:
        """In two steps, for a data key names who wraps it, and two keys cannot have one name at the same time."""
        for keys, waiting, wrapper in (
            ({"local": old, AWAY: new}, "local", AWAY),
            ({"local": new, AWAY: new}, AWAY, "local"),
        ):
            encryption: ClientEncryption[Any] = ClientEncryption(
                {name: {"key": base64.b64decode(key)} for name, key in keys.items()},
                f"{db.name}.encryption_keys",
                db.client.delegate,
                CodecOptions(uuid_representation=STANDARD),
            )
            try:
                encryption.rewrap_many_data_key({"masterKey.provider": waiting}, provider=wrapper)
            finally:
                encryption.close()

    async def encrypt_searchable(self, values: Sequence[str]) -> list[Binary]:
        return await self._encrypt(values, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Deterministic)

    async def encrypt_random(self, values: Sequence[str]) -> list[Binary]:
        return await self._encrypt(values, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random)

    async def encrypt_secrets(self, values: Sequence[str]) -> list[Binary]:
        """Of what lets its holder act for somebody, at random: private keys."""
        return await self._encrypt(values, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random, SECRETS_KEY_NAME)

    async def decrypt(self, values: Sequence[Binary]) -> list[str]:
        if not values:
            return []
        return await asyncio.to_thread(lambda: [self._encryption.decrypt(value) for value in values])

    async def _encrypt(
        self, values: Sequence[str], algorithm: Algorithm, key_name: str = KEY_NAME
    ) -> list[Binary]:
        if not values:
            return []
        return await asyncio.to_thread(
            lambda: [self._encryption.encrypt(value, algorithm, key_alt_name=key_name) for value in values]
        )

    def close(self) -> None:
        self._encryption.close()
