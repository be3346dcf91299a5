"""Which mini-program a database belongs to: once it has served a real one, it is never served with the simulated WeChat again."""

from __future__ import annotations

from server.kernel.mongo import CollectionSpec
from server.kernel.platform import Platform

COLLECTIONS = (CollectionSpec("mini_program", shard_key=None),)
ONLY = "mini-program"


class SimulatedInEarnest(Exception):
    """Whoever reaches the simulated WeChat can be any phone: with the bindings of real people that opens everything of theirs."""

    def __init__(self, app_id: str) -> None:
        super().__init__(
            f"这个数据库属于小程序 {app_id}，不能改用模拟微信：任何人都可以冒充其中任何人的手机。"
            "请设置 WECHAT_APP_ID 和 WECHAT_APP_SECRET，或换一个数据库（--data-dir 或 MONGODB_URI）。"
        )


async def claim(platform: Platform) -> None:
    """Notes the mini-program that is served from now on. Raises SimulatedInEarnest, before anything is served.

    A database that has only seen the simulated WeChat may turn real.
    """
    if not platform.settings.wechat_simulated:
        app_id = {"$set": {"app_id": platform.settings.wechat_app_id}}
        await platform["mini_program"].update_one({"_id": ONLY}, app_id, upsert=True)
    elif row := await platform["mini_program"].find_one({"_id": ONLY}):
        raise SimulatedInEarnest(row["app_id"])
