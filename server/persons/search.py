"""The search box: one question, asked of everything that has a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.backbone import service as backbone
from server.backbone.documents import PoolFilter
from server.certificates import service as certificates
from server.certificates.documents import LedgerFilter
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.institutions import service as institutions
from server.institutions.documents import InstitutionFilter
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.queries import within_time
from server.persons import service

SHOWN = 8


@dataclass(frozen=True)
class Group:
    """What was found of one kind; `page` is the list that shows all of it."""

    kind: str
    title: str
    page: str
    rows: list[Any]
    more: bool


async def find(platform: Platform, actor: Actor, words: str) -> list[Group]:
    """Each kind as the actor's reach has it; nothing of nothing asked."""
    if not words:
        return []
    with within_time():
        found = await _asked(platform, actor, words, SHOWN + 1)
    return [
        Group(kind, title, page, rows[:SHOWN], len(rows) > SHOWN) for kind, title, page, rows in found if rows
    ]


async def _asked(
    platform: Platform, actor: Actor, words: str, most: int
) -> list[tuple[str, str, str, list[Any]]]:
    return [
        ("people", "人员", "/admin/people", [*await service.list_people(platform, actor, words, limit=most)]),
        (
            "teachers",
            "骨干教师库",
            "/admin/backbone",
            [*await backbone.list_pool(platform, actor, PoolFilter(words=words), limit=most)],
        ),
        (
            "classes",
            "培训班",
            "/admin/classes",
            [*await classes.list_classes(platform, actor, ClassFilter(words=words), limit=most)],
        ),
        (
            "certificates",
            "证书",
            "/admin/certificates",
            [*await certificates.ledger(platform, actor, LedgerFilter(words=words), limit=most)],
        ),
        (
            "institutions",
            "培训机构",
            "/admin/institutions",
            [*await institutions.list_institutions(platform, actor, InstitutionFilter(words=words))],
        ),
    ]
