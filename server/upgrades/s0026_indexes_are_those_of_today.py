"""Indexes that an earlier version made and no collection names any more: one that was unique would go on refusing what is right today.

Those of today are made after the steps. What is no collection of ours is left alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import server
from server.kernel.mongo import collections_of
from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    for spec in collections_of(server):
        named = {"_id_", *(index.model().document["name"] for index in spec.indexes)}
        there = await platform[spec.name].index_information()
        for name in sorted(there.keys() - named):
            await platform[spec.name].drop_index(name)
        yield len(there.keys() - named)
