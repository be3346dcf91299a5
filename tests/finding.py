"""Whether what lists find by is what the documents say."""

from server.kernel.found import FOUND_BY, LAST_DIGITS, Found
from server.kernel.platform import Platform
from tests.upgrades.models import MODELS

LOOKED_FOR = {name: model for name, model in MODELS.items() if issubclass(model, Found)}


async def gone_astray(platform: Platform) -> list[str]:
    """The documents whose stored words are not those of what they say now: a writer has forgotten them."""
    astray = []
    for name, model in LOOKED_FOR.items():
        async for row in platform[name].find({}):
            wanted = model.from_mongo(row).looked_for()
            kept = {field: row[field] for field in row.keys() & {FOUND_BY, LAST_DIGITS, *model.also_written}}
            if kept != wanted:
                astray.append(f"{name} {row['_id']}: {sorted(kept)}")
    return astray
