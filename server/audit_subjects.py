"""What the audit trail is about: what a document is called, and which documents somebody means by a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from server.kernel.found import looking_for
from server.kernel.mongo import Row
from server.kernel.namesakes import LAST_DIGITS
from server.kernel.platform import Platform


class _Kind(NamedTuple):
    collection: str
    title: str
    name: Any
    """An expression of the database."""
    page: str = ""


_OF_CLASS = "$class_name"
_KINDS = (
    _Kind("classes", "培训班", "$name", "/admin/classes/{}"),
    _Kind(
        "certificates",
        "证书",
        {"$concat": ["$printed.number", " ", "$printed.name"]},
        "/admin/certificates/{}",
    ),
    _Kind("accounts", "账号", {"$concat": ["$username", " ", "$name"]}),
    _Kind("applicants", "报名", "$name"),
    _Kind("teaching_sessions", "课次", "$title"),
    _Kind("tasks", "考核任务", "$title"),
    _Kind("submissions", "学习成果", "$person_name"),
    _Kind("guidance", "后续指导", {"$concat": ["$teacher_name", " → ", "$trainee_name"]}),
    _Kind("qualification_warnings", "预警", "$name"),
    _Kind("scheme_versions", "培训方案", _OF_CLASS),
    _Kind("invitations", "邀请函", _OF_CLASS),
    _Kind("surveys", "满意度评价", _OF_CLASS),
    _Kind(
        "plans",
        "培训计划",
        {"$concat": ["$institution_name", " ", {"$toString": "$year"}, " 年"]},
        "/admin/plans/{}",
    ),
    _Kind("applications", "开班申请", "$name", "/admin/applications/{}"),
    _Kind("corrections", "信息更正", "$about", "/admin/corrections/{}"),
    _Kind("class_changes", "培训班变更", _OF_CLASS, "/admin/changes/{}"),
    _Kind("forgeries", "伪造举报", "$certificate_number", "/admin/forgeries/{}"),
    _Kind(
        "inspections",
        "证书年度检查",
        {"$concat": ["$institution_name", " ", {"$toString": "$year"}, " 年"]},
        "/admin/inspections/{}",
    ),
    _Kind("paper_requests", "空白证书申领", "$institution_name", "/admin/stock"),
    _Kind("paper_movements", "空白证书的账", "$first"),
    _Kind("paper_counts", "空白证书盘点", "$by"),
    _Kind("reopenings", "成绩重新开放", _OF_CLASS, "/admin/reopenings/{}"),
    _Kind("seals", "印章", "$institution_name", "/admin/seals/{}"),
    _Kind(
        "reissues",
        "证书补发、换发和撤销",
        {"$concat": ["$certificate_number", " ", "$name"]},
        "/admin/reissues/{}",
    ),
    _Kind("place_checks", "地点核实", "$place", "/admin/places/{}"),
    _Kind("release_requests", "解除微信绑定", "$name", "/admin/release-requests/{}"),
    _Kind("base_requests", "推荐和申请", "$institution_name", "/admin/recommendations/{}"),
    _Kind("qualification_cases", "动态管理", "$name", "/admin/qualification/{}"),
    _Kind("nominees", "选拔推荐", "$name", "/admin/selection/{}"),
    _Kind("pass_lists", "合格名单", _OF_CLASS, "/admin/selection/lists/{}"),
    _Kind("institutions", "培训机构", "$name", "/admin/institutions/{}"),
)
MEANT_MOST = 20
"""Documents of one kind that a word may mean; of more, somebody has to say more."""


@dataclass(frozen=True)
class Subject:
    words: str
    page: str


async def named(platform: Platform, ids: Sequence[str]) -> dict[str, Subject]:
    """What these documents are called, of those that are still there: one question, whatever their number and kind."""
    if not ids:
        return {}

    def stages(place: int, kind: _Kind) -> list[Row]:
        shown = {
            "name": {"$ifNull": [kind.name, ""]},
            "place": {"$literal": place},
            "number": {"$ifNull": ["$id_number_masked", "$printed.id_number_masked", ""]},
        }
        return [{"$match": {"_id": {"$in": list(ids)}}}, {"$project": shown}]

    first, *others = enumerate(_KINDS)
    joined = [
        {"$unionWith": {"coll": kind.collection, "pipeline": stages(place, kind)}} for place, kind in others
    ]
    found: dict[str, Subject] = {}
    async for row in platform[first[1].collection].aggregate([*stages(*first), *joined]):
        kind = _KINDS[row["place"]]
        words = f"{kind.title}：{row['name']}" if row["name"] else kind.title
        if row["number"]:
            words += f"（尾号 {row['number'][-LAST_DIGITS:]}）"
        found[row["_id"]] = Subject(words, kind.page.format(row["_id"]))
    return found


_FOUND_IN = {
    "certificates": ("printed.number", "printed.serial", "printed.name"),
    "accounts": ("username", "name"),
    "institutions": ("name",),
    "classes": ("name",),
    "persons": ("name",),
}
"""Whose words find a document (kernel.found)."""


async def meant(platform: Platform, words: str, kinds: Sequence[str] = tuple(_FOUND_IN)) -> list[str]:
    """The ids of what has these words in its name or number, some of each kind; an id, or the code of an institution, means itself."""
    if re.fullmatch("[0-9a-f]{24}|[0-9]{3}", words):
        return [words]
    found: list[str] = []
    for kind in kinds:
        rows = platform[kind].find(looking_for(words, _FOUND_IN[kind]), {"_id": 1}).sort("_id", -1)
        found += [row["_id"] async for row in rows.limit(MEANT_MOST)]
    return found
