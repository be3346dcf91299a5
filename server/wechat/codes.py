"""Mini-program codes (小程序码): each is asked for once and kept, for WeChat limits how many are made and the picture never changes."""

from __future__ import annotations

from server.kernel.mongo import CollectionSpec
from server.kernel.platform import Platform

COLLECTIONS = (CollectionSpec("mini_program_codes", shard_key="_id"),)
PNG = b"\x89PNG"


async def mini_program_code(platform: Platform, scene: str, page: str) -> bytes:
    """The picture, PNG or JPEG. Raises WeChatUnavailable when it has to be made and WeChat does not answer."""
    key = f"{page}?{scene}"
    row = await platform["mini_program_codes"].find_one({"_id": key})
    if row is not None:
        return bytes(row["picture"])
    picture = await platform.wechat.mini_program_code(scene, page)
    await platform["mini_program_codes"].update_one(
        {"_id": key}, {"$setOnInsert": {"picture": picture, "made_at": platform.clock.now()}}, upsert=True
    )
    return picture


def media_type(picture: bytes) -> str:
    return "image/png" if picture.startswith(PNG) else "image/jpeg"
