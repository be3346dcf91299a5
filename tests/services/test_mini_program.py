"""The simulated WeChat lets anybody be any phone: it is never mounted on the data of a real mini-program."""

from __future__ import annotations

import dataclasses

import pytest

from server.__main__ import serve
from server.kernel.platform import Platform
from server.settings import Settings
from server.wechat import mini_program
from server.wechat.mini_program import SimulatedInEarnest

REAL = "wx0123456789abcdef"


def served_by(platform: Platform, app_id: str) -> Platform:
    return dataclasses.replace(
        platform, settings=platform.settings.model_copy(update={"wechat_app_id": app_id})
    )


async def test_a_database_may_turn_real_and_never_back(platform: Platform) -> None:
    for _ in range(2):
        await mini_program.claim(platform)
    for _ in range(2):
        await mini_program.claim(served_by(platform, REAL))
    with pytest.raises(SimulatedInEarnest, match=f"{REAL}.*请设置 WECHAT_APP_ID"):
        await mini_program.claim(platform)


async def test_a_server_whose_app_id_went_missing_serves_nothing(
    platform: Platform, settings: Settings
) -> None:
    await mini_program.claim(served_by(platform, REAL))
    with pytest.raises(SimulatedInEarnest):
        await serve(
            settings.model_copy(update={"port": 0, "scheduler": False}), first=True, shared_port=False
        )
