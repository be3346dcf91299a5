"""What an institution fills in to change how a class runs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from server.interruptions.rules import Ground
from server.kernel import reasons
from server.kernel.reviews import Review

Moves = Annotated[dict[str, AwareDatetime], Field(title="课次的新时间")]
Reason = reasons.Reason


class Wanted(BaseModel):
    ground: Annotated[Ground, Field(title="原因")]
    reason: Annotated[Reason, Field(title="说明")]


class Suspension(Wanted):
    """暂停: `moves` gives sessions that fall into it another time (id → start); the others of them are cancelled."""

    first: Annotated[date, Field(title="暂停第一天")]
    last: Annotated[date, Field(title="暂停最后一天")]
    ends_on: Annotated[date, Field(title="新的结束日期")]
    moves: Moves = {}


class Postponement(Wanted):
    """延期: `moves` gives sessions another time, also such as a suspension cancelled; the others stay."""

    starts_on: Annotated[date, Field(title="开始日期")]
    ends_on: Annotated[date, Field(title="新的结束日期")]
    moves: Moves = {}


class Transfer(Wanted):
    """转班补学: these people finish in that class, and the class they were in ends."""

    class_id: Annotated[str, Field(title="转入的培训班", pattern=r"^[0-9a-f]{24}$")]
    person_ids: Annotated[list[str], Field(title="学员", min_length=1, max_length=500)]


class Termination(Wanted):
    pass


class Revocation(Review):
    """撤销变更: `seen` of the approved change that is to be undone."""

    reason: Reason


class CallOff(Wanted):
    typed: Annotated[str, Field(title="班名", max_length=60)]
    """The name of the class, typed by whoever calls it off."""
