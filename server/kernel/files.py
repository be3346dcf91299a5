"""Files in GridFS, streamed both ways: no file is ever whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorDatabase, AsyncIOMotorGridFSBucket, AsyncIOMotorGridIn

from server.kernel.errors import NotFound
from server.kernel.mongo import DURABLE, new_id

CHUNK_BYTES = 256 * 1024


class Files:
    def __init__(self, db: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._bucket = AsyncIOMotorGridFSBucket(
            db, "files", chunk_size_bytes=CHUNK_BYTES, write_concern=DURABLE
        )

    def create(self, name: str, metadata: dict[str, Any]) -> tuple[str, AsyncIOMotorGridIn]:
        """A new file's id and its stream: `write` the content in parts, then `close`; or `abort` to leave nothing behind."""
        file_id = new_id()
        return file_id, self._bucket.open_upload_stream_with_id(file_id, name, metadata=metadata)

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The content in chunks. Raises NotFound."""
        try:
            stream = await self._bucket.open_download_stream(file_id)
        except NoFile as error:
            raise NotFound() from error
        while chunk := await stream.readchunk():
            yield chunk

    async def delete(self, file_id: str) -> None:
        """Removes a file that no document ever named. One that is gone already is no error."""
        try:
            await self._bucket.delete(file_id)
        except NoFile:
            pass
