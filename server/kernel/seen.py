"""Every save names the version that was seen (decision 0032): from an older page it is refused, in words and with what is there now.

What is reviewed counts the steps of its history (`reviews.Review`); any other document is known by a mark of its content, so that no
document has to carry a number of its own. A form says `seen` through the macro `forms.seen` and the model `Saving`.
"""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field

from server.kernel import audit
from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError
from server.kernel.mongo import Document
from server.kernel.reviews import Overtaken
from server.kernel.titled import Titled
from server.kernel.unit_of_work import Scope


class ChangedMeanwhile(Overtaken):
    slug = "changed-meanwhile"
    title = "内容已有变动，没有保存"


class Saving(BaseModel):
    """A form that changes what somebody has read: `seen` says what that was."""

    seen: Annotated[str, Field(title="页面", pattern=r"^[0-9a-f]{16}$")]


def mark(document: Document | None) -> str:
    """Of what stands in it, or that it is not there yet: the same content has the same mark."""
    said = document.to_mongo() if document else None
    sorted_ = orjson.dumps(said, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return sha256(sorted_).hexdigest()[:16]


async def require(
    scope: Scope,
    found: Document | None,
    seen: str,
    typed: BaseModel | None = None,
    *,
    subject: str = "",
    what: str = "内容",
) -> None:
    """Raises ChangedMeanwhile unless `found` is what the form showed: says who changed it, and of each field that is `typed` otherwise
    what stands there now. An empty `seen` comes from a face that shows nothing to go stale (a phone's, a program's)."""
    if not seen or seen == mark(found):
        return
    entries = await audit.of_subject(scope.platform, subject or (found.id if found else ""), limit=1)
    who = (
        f"{entries[0]['actor_name']}于 {entries[0]['at'].astimezone(BEIJING):%m-%d %H:%M} " if entries else ""
    )
    raise ChangedMeanwhile(
        f"在您打开页面之后，{who}改动了{what}。您填写的还在下面：请与现在的内容核对，需要时再保存一次。",
        fields=[
            FieldError(name, f"{info.title or ''}现在是“{in_words(now)}”，与您填写的不同。")
            for name, info in (type(typed).model_fields.items() if typed else ())
            if name != "reason"
            and hasattr(found, name)
            and in_words(now := getattr(found, name)) != in_words(getattr(typed, name))
        ],
    )


def in_words(value: Any) -> str:
    """A stored value as a person reads it."""
    match value:
        case Titled():
            return value.label
        case datetime():
            return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}"
        case date():
            return str(value)
        case list() | tuple():
            return "、".join(in_words(one) for one in value)
        case BaseModel():
            return "，".join(in_words(one) for name, one in value if name != "key" and one not in (None, ""))
        case None | "":
            return "（空）"
        case _:
            return str(value)
