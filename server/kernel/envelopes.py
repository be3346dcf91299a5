"""Sealed envelopes: what people say without a name stays shut until nobody can say any more (server/decisions/0001).

A box has a key pair. Its public key shuts envelopes of equal length, which may lie beside the name of who posted them, in the same
transaction and in the same log of the database, for nobody can open one. The private key lies outside the database and its backups;
once, when the box is opened, all envelopes are opened together and shuffled, and the key is destroyed with what it could still open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.kernel.errors import Problem
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.settings import Settings

COLLECTIONS = (
    # Clustered: its rows lie in the order of their random ids, not of arrival.
    CollectionSpec("envelopes", shard_key="box", clustered=True, indexes=(Index([("box", 1)]),)),
)

KEY_BYTES = 32
NONCE = bytes(12)  # each envelope has a key of its own
LENGTH_BYTES = 4


class BoxLocked(Problem):
    """The private key of a box is not where it should be."""

    status = 500
    slug = "box-locked"
    title = "匿名答卷无法开封"


@dataclass(frozen=True)
class Box:
    id: str
    public_key: bytes


# ---- the key, outside the database


def _folder(settings: Settings) -> Path:
    return settings.envelope_keys or settings.data_dir / "envelope-keys"


def _file(settings: Settings, box_id: str) -> Path:
    return _folder(settings) / box_id


async def new_box(settings: Settings) -> Box:
    """A box whose private key is kept when this returns. One that is used by no document after all opens nothing."""
    return await asyncio.to_thread(_new_box, settings)


def _new_box(settings: Settings) -> Box:
    key = X25519PrivateKey.generate()
    box = Box(secrets.token_hex(12), key.public_key().public_bytes_raw())
    _folder(settings).mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(_file(settings, box.id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, key.private_bytes_raw())
        os.fsync(file)
    finally:
        os.close(file)
    return box


def _private_key(settings: Settings, box_id: str) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(_file(settings, box_id).read_bytes())
    except (OSError, ValueError):
        raise BoxLocked(
            "开封用的密钥不在这台服务器上或已损坏。多台服务器应共用一个密钥目录（PLATFORM_ENVELOPE_KEYS）；"
            "密钥确已遗失的，这份匿名答卷无法恢复。"
        ) from None


async def destroy_key(settings: Settings, box_id: str) -> None:
    """Overwritten before it goes; may be called again."""
    await asyncio.to_thread(_destroy, _file(settings, box_id))


def _destroy(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        file = os.open(path, os.O_WRONLY)
        try:
            os.write(file, secrets.token_bytes(KEY_BYTES))
            os.fsync(file)
        finally:
            os.close(file)
        path.unlink()


# ---- envelopes


def shut(public_key: bytes, content: bytes, size: int) -> bytes:
    """An envelope whose length depends on `size` alone. `content` is at most `size` bytes."""
    if len(content) > size:
        raise ValueError(f"an envelope of {size} bytes cannot hold {len(content)}")
    once = X25519PrivateKey.generate()
    head = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public_key))
    padded = len(content).to_bytes(LENGTH_BYTES) + content.ljust(size, b"\0")
    return head + ChaCha20Poly1305(_derive(shared, head, public_key)).encrypt(NONCE, padded, None)


def _open(key: X25519PrivateKey, envelope: bytes) -> bytes:
    head, rest = envelope[:KEY_BYTES], envelope[KEY_BYTES:]
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(head))
        own = _derive(shared, head, key.public_key().public_bytes_raw())
        padded = ChaCha20Poly1305(own).decrypt(NONCE, rest, None)
    except (InvalidTag, ValueError):
        raise BoxLocked("有一份匿名答卷被改动过，无法开封。请保留现场，立即核对数据库备份。") from None
    length = int.from_bytes(padded[:LENGTH_BYTES])
    return padded[LENGTH_BYTES : LENGTH_BYTES + length]


def _derive(shared: bytes, head: bytes, public_key: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"gongxue envelope" + head + public_key).derive(shared)


async def post(unit: UnitOfWork, box: Box, content: bytes, size: int) -> None:
    """Commits with the transaction, as whatever says that somebody posted."""
    envelope = shut(box.public_key, content, size)
    row = {"_id": secrets.token_hex(16), "box": box.id, "envelope": envelope}
    await unit["envelopes"].insert_one(row, session=unit.session)


async def count(scope: Scope, box_id: str) -> int:
    """How many lie in the box."""
    return await scope["envelopes"].count_documents({"box": box_id}, session=scope.session)


async def throw_away(unit: UnitOfWork, box_id: str) -> None:
    """What nobody may ever read is not opened."""
    await unit["envelopes"].delete_many({"box": box_id}, session=unit.session)


async def empty(unit: UnitOfWork, box_id: str, put: Callable[[Sequence[bytes]], Awaitable[None]]) -> int:
    """Opens all envelopes together and gives `put` what was in them, shuffled; returns how many there were.

    All in the caller's transaction: a process that dies in it has opened none. The key is to be destroyed once it has committed. Raises
    BoxLocked, and then nothing is opened.
    """
    rows = await unit["envelopes"].find({"box": box_id}, session=unit.session).to_list(None)
    if rows:
        key = await asyncio.to_thread(_private_key, unit.platform.settings, box_id)
        contents = [_open(key, row["envelope"]) for row in rows]
        secrets.SystemRandom().shuffle(contents)
        await put(contents)
        await unit["envelopes"].delete_many({"box": box_id}, session=unit.session)
    return len(rows)
