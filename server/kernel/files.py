"""Files in GridFS, streamed both ways: no file is ever whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorDatabase, AsyncIOMotorGridFSBucket
from pymongo.errors import BulkWriteError

from server.kernel.errors import NotFound
from server.kernel.mongo import DURABLE, CollectionSpec, Index, new_id

CHUNK_BYTES = 256 * 1024
DUPLICATE_KEY = 11000

COLLECTIONS = (
    CollectionSpec("files.files", shard_key="_id", indexes=(Index([("filename", 1), ("uploadDate", 1)]),)),
    CollectionSpec(
        "files.chunks", shard_key="files_id", indexes=(Index([("files_id", 1), ("n", 1)], unique=True),)
    ),
)


class NewFile:
    """A file on its way in: `write` the content in parts, then `close`; or `abort` to leave nothing behind.

    Written after the GridFS specification, so that any driver reads it. PyMongo's own writer holds back up to 48 MB, which is a whole
    file for each phone that uploads; here at most one chunk waits in memory.
    """

    def __init__(self, db: AsyncIOMotorDatabase[dict[str, Any]], name: str, metadata: dict[str, Any]) -> None:
        self.id = new_id()
        self._files = db["files.files"]
        self._chunks = db["files.chunks"]
        self._name = name
        self._metadata = metadata
        self._waiting = bytearray()
        self._written = 0

    async def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= CHUNK_BYTES:
            await self._put(bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]

    async def close(self) -> None:
        """The file exists from here on."""
        length = self._written * CHUNK_BYTES + len(self._waiting)
        if self._waiting:
            await self._put(bytes(self._waiting))
        await self._files.insert_one(
            {
                "_id": self.id,
                "length": length,
                "chunkSize": CHUNK_BYTES,
                "uploadDate": datetime.now(UTC),
                "filename": self._name,
                "metadata": self._metadata,
            }
        )

    async def abort(self) -> None:
        await self._chunks.delete_many({"files_id": self.id})

    async def _put(self, chunk: bytes) -> None:
        await self._chunks.insert_one({"files_id": self.id, "n": self._written, "data": chunk})
        self._written += 1


class Files:
    def __init__(self, db: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._db = db
        self._bucket = AsyncIOMotorGridFSBucket(
            db, "files", chunk_size_bytes=CHUNK_BYTES, write_concern=DURABLE
        )

    def create(self, name: str, metadata: dict[str, Any]) -> NewFile:
        return NewFile(self._db, name, metadata)

    async def put_chunks(self, file_id: str, offset: int, content: bytes) -> None:
        """Writes a stretch of a file that comes in parts, in any order; `offset` is a multiple of CHUNK_BYTES. What is there stays."""
        first = offset // CHUNK_BYTES
        rows = [
            {"_id": ObjectId(), "files_id": file_id, "n": first + n, "data": content[at : at + CHUNK_BYTES]}
            for n, at in enumerate(range(0, len(content), CHUNK_BYTES))
        ]
        try:
            await self._db["files.chunks"].insert_many(rows, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in (error.details or {})["writeErrors"]):
                raise

    async def adopt(self, file_id: str, name: str, size: int, metadata: dict[str, Any]) -> None:
        """All chunks of it are there: the file exists from here on. Twice does no harm."""
        row = {"length": size, "chunkSize": CHUNK_BYTES, "uploadDate": datetime.now(UTC)}
        await self._db["files.files"].update_one(
            {"_id": file_id},
            {"$setOnInsert": row | {"filename": name[:200], "metadata": metadata}},
            upsert=True,
        )

    async def drop_chunks(self, file_id: str) -> None:
        """Removes what has come of a file that never was whole."""
        await self._db["files.chunks"].delete_many({"files_id": file_id})

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The content in chunks. Raises NotFound."""
        try:
            stream = await self._bucket.open_download_stream(file_id)
        except NoFile as error:
            raise NotFound() from error
        while chunk := await stream.readchunk():
            yield chunk

    async def delete(self, file_id: str) -> None:
        """Removes a file that no document ever named, whole or half received. One that is gone already is no error."""
        try:
            await self._bucket.delete(file_id)
        except NoFile:
            pass
