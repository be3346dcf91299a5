"""The seal that is pressed on certificates, and the key that signs them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.reviews import Review
from server.kernel.seen import mark
from server.seals import filing, keys
from server.seals.filing import Retirement
from server.seals.keys import KeyUpload, KeyWithdrawal
from tests import cast, sealing
from tests.acts.walking import World, way_back
from tests.planning import HEBEI, XINGTAI

WHY = "印模变更，重新刻制。"


@way_back("seals:file", "seals:withdraw", keeps={"seals"})
async def a_seal(world: World) -> AsyncIterator[None]:
    yield
    filed = await filing.file(world.platform, XINGTAI, cast.XINGTAI, sealing.png())
    yield
    await filing.withdraw(world.platform, XINGTAI, filed.id)


@way_back("seals:approve", "seals:retire", keeps={"seals"})
async def an_approved_seal(world: World) -> AsyncIterator[None]:
    yield
    filed = await filing.file(world.platform, XINGTAI, cast.XINGTAI, sealing.png())
    await filing.approve(world.platform, HEBEI, filed.id, Review(seen=1))
    yield
    await filing.retire(world.platform, XINGTAI, filed.id, Retirement(reason=WHY))


@way_back("seals:upload-key", "seals:withdraw-key", keeps={"signing_keys"})
async def a_signing_key(world: World) -> AsyncIterator[None]:
    yield
    wanted = KeyUpload(seen=mark(None), password=sealing.PASSWORD)
    made = sealing.pkcs12("邢台技师学院")
    key = await keys.upload(world.platform, XINGTAI, cast.XINGTAI, made, wanted)
    yield
    await keys.withdraw(world.platform, XINGTAI, key.id, KeyWithdrawal(seen=mark(key), reason=WHY))
