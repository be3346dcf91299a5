"""Messages that were settled long ago go: what they told stands in what they were about."""

from __future__ import annotations

from datetime import datetime

from server.kernel import outbox, policies
from server.kernel.clock import beijing_date, months_before
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.messages import office_store

MESSAGES_AT_ONCE = 1_000


async def forget_messages(platform: Platform) -> Counts:
    """Removes messages, of people and of offices, that were settled or told longer ago than the policy `message_months`."""
    months = (await policies.on(platform, beijing_date(platform.clock.now()))).message_months
    before = months_before(platform.clock.now(), months)
    forgotten = 0
    while gone := await _forget_messages(platform, system("accounts"), before):
        forgotten += gone
    return {"清除消息": forgotten}


@transactional
async def _forget_messages(unit: UnitOfWork, before: datetime) -> int:
    gone = await outbox.delete_settled(unit, before, MESSAGES_AT_ONCE)
    gone += await office_store.delete_before(unit, before, MESSAGES_AT_ONCE)
    if gone:
        unit.audit("accounts:forget", "messages", messages=gone)
    else:
        unit.nothing_written()
    return gone
