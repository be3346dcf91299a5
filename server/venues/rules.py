"""Where training may not be held (article 11: 严禁在……21 个风景名胜区或高档宾馆开展培训), and how a place that looks so is resolved.

One rule for every place: that of an application, of its class, and all that are typed after the approval. A flag blocks nothing by itself;
the province looks, and says what it found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from server.kernel import reviews
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

NOTE_SHORTEST = 4
"""Characters in which a province says why a flagged venue is acceptable."""


# ---- a place that waits for the province's words


class State(Titled):
    WAITING = "WAITING", "待核实"
    RESOLVED = "RESOLVED", "可以使用"
    REFUSED = "REFUSED", "不得使用"
    WITHDRAWN = "WITHDRAWN", "已撤回"


STANDING = frozenset({State.WAITING, State.RESOLVED})
"""Of one place of a class one request waits or has been resolved; what was refused or withdrawn may be asked again."""


class Action(Titled):
    ASK = "ASK", "报请核实"
    RESOLVE = "RESOLVE", "核实可用"
    REFUSE = "REFUSE", "不予使用"
    WITHDRAW = "WITHDRAW", "撤回"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.ASK: By(INSTITUTION_ROLES),
        Action.RESOLVE: By(PROVINCE, {State.WAITING: State.RESOLVED}),
        Action.REFUSE: By(PROVINCE, {State.WAITING: State.REFUSED, State.RESOLVED: State.REFUSED}),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.WAITING: State.WITHDRAWN}),
    },
    reviews.not_yours("venue-not-yours", "培训地点由培训机构报请核实，由省级管理部门核实（指南第十一条）。"),
    reviews.not_now("venue-state", "这个地点现在不能这样办理", "这个地点{state}"),
    reviews.overtaken("venue-overtaken", "核实申请已有变动", "这份核实申请"),
    waits=(Waits(PROVINCE, State.WAITING, "待核实的培训地点"),),
)


# ---- what gives a place away


class FlagKind(StrEnum):
    SCENIC_AREA = "SCENIC_AREA"
    STARS = "STARS"
    HOTEL = "HOTEL"


class VenueFlag(BaseModel):
    """A reason to look closer at a venue; `words` are what the reviewer reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FlagKind
    words: str


SCENIC_AREAS: dict[str, tuple[str, ...]] = {
    "八达岭-十三陵": ("八达岭", "十三陵"),
    "承德避暑山庄外八庙": ("避暑山庄", "外八庙"),
    "五台山": ("五台山",),
    "太湖": ("太湖",),
    "普陀山": ("普陀山",),
    "黄山": ("黄山",),
    "九华山": ("九华山",),
    "武夷山": ("武夷山",),
    "庐山": ("庐山",),
    "泰山": ("泰山",),
    "嵩山": ("嵩山",),
    "武当山": ("武当山",),
    "武陵源（张家界）": ("武陵源", "张家界"),
    "白云山": ("白云山",),
    "桂林漓江": ("漓江",),
    "三亚热带海滨": ("热带海滨", "亚龙湾", "天涯海角"),
    "峨眉山-乐山大佛": ("峨眉山", "乐山大佛"),
    "九寨沟-黄龙": ("九寨沟", "黄龙"),
    "黄果树": ("黄果树",),
    "西双版纳": ("西双版纳",),
    "华山": ("华山",),
}
"""The 21 风景名胜区 of 中共中央办公厅、国务院办公厅 (2014), each with the core names by which an address gives it away."""

_CORES = {core: area for area, cores in SCENIC_AREAS.items() for core in cores}
# The ban covers the core area only. 黄山市, 太湖县, 白云区, 泰山路 are districts and streets that merely have the name, also
# with a direction or a number between: 泰山东路, 黄山一路.
_ORDINARY = (
    r"(?:市|县|区|州|傣族|镇|乡|村|社区|街道|[东西南北中]?[一二三四五六七八九十]?(?:路|街|巷|大道|大街|胡同))"
)
_IN_ADDRESS = re.compile(f"({'|'.join(sorted(_CORES, key=len, reverse=True))})(?!{_ORDINARY})")


def scenic_areas_named(text: str) -> list[str]:
    """The areas of article 11 that a name or an address gives away, each once, in the order of the text."""
    return list(dict.fromkeys(_CORES[found] for found in _IN_ADDRESS.findall(plain(text))))


def plain(text: str) -> str:
    """A place without spaces and widths: by it two writings of one place are one."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def venue_flags(name: str, address: str, stars: int | None, stars_most: int) -> list[VenueFlag]:
    """What of a venue a province has to resolve, with words, before it can approve (article 11); it never blocks by itself.

    `stars` is the rating that the institution declares, None for a place without one; `stars_most` is policy.
    """
    flags = _of_areas([*scenic_areas_named(name), *scenic_areas_named(address)])
    if stars is not None and stars > stars_most:
        words = f"申报为 {stars} 星级，高于政策上限 {stars_most} 星。请核实是否属于高档宾馆。"
        flags.append(VenueFlag(kind=FlagKind.STARS, words=words))
    return flags


def _of_areas(areas: Sequence[str]) -> list[VenueFlag]:
    return [
        VenueFlag(
            kind=FlagKind.SCENIC_AREA,
            words=f"名称或地址中有“{area}”，可能在 21 个风景名胜区内。请核实是否在核心景区。",
        )
        for area in dict.fromkeys(areas)
    ]


HOTELS = ("酒店", "宾馆", "饭店", "度假", "会所")
"""By which a place that is typed without a rating gives itself away."""
NAME_SHORTEST = 4
"""Characters of a name that stands for a venue: “泰山” alone would clear a whole mountain."""


def place_flags(place: str, resolved: Collection[str] = ()) -> list[VenueFlag]:
    """What of a place that is typed after the approval (a session's, a scheme's, a correction's) a province has to resolve (article 11).

    `resolved`: the places about which it has spoken. One of them, or a room in it (示例宾馆三楼会议室), raises nothing again.
    """
    rest = plain(place)
    for known in sorted(map(plain, resolved), key=len, reverse=True):
        if rest == known:
            return []
        for name in (known, known.partition("(")[0]):
            if len(name) >= NAME_SHORTEST:
                rest = rest.replace(name, "|")
    flags = _of_areas(scenic_areas_named(rest))
    if hotel := next((word for word in HOTELS if word in rest), None):
        words = f"“{place}”写有“{hotel}”，没有申报星级。请核实是否属于高档宾馆。"
        flags.append(VenueFlag(kind=FlagKind.HOTEL, words=words))
    return flags


def flags_of(places: Iterable[str], resolved: Collection[str]) -> list[VenueFlag]:
    """Of several places, each flag once."""
    found = (flag for place in places for flag in place_flags(place, resolved))
    return list({flag.words: flag for flag in found}.values())


def check_resolved(flags: list[VenueFlag], note: str) -> None:
    """Raises Invalid when a flagged venue is to be approved without words about it (article 11)."""
    if flags and len(note.strip()) < NOTE_SHORTEST:
        message = "场地有待核实的事项（指南第十一条），请写明核实情况和意见后再批准，至少 4 个字。"
        raise Invalid(fields=[FieldError("venue_note", message)])
