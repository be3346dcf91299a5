"""Hours of an interrupted class could be counted once for good, also where that was taken back (articles 4.6 and 25.4).

The index that lets them count once goes; the one that leaves out what is void takes its place when the server starts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.platform import Platform

NAME = "from_class_1_person_id_1"


async def run(platform: Platform) -> AsyncIterator[int]:
    hours = platform["added_hours"]
    index = (await hours.index_information()).get(NAME)
    if index is not None and "voided_at" not in index["partialFilterExpression"]:
        await hours.drop_index(NAME)
    yield 0
