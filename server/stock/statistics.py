"""统计: what was issued in a year and what became of it, each figure with the list that shows it (article 18: 统计, 定期进行统计和核查)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from server.certificates import service as certificates
from server.certificates.documents import CertificateStatus
from server.institutions import service as institutions
from server.institutions.rules import Level
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.titled import Titled
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.stock import paper_store, store


class By(Titled):
    """By what it is counted; the value is the filter of the list."""

    INSTITUTION = "institution", "培训机构"
    PROVINCE = "province", "省份"
    LEVEL = "level", "培训级别"
    MAJOR = "major", "专业大类"
    MONTH = "month", "月份"


_READ: Mapping[By, object] = {
    By.INSTITUTION: "$institution_code",
    By.PROVINCE: "$province_code",
    By.LEVEL: "$printed.level",
    By.MAJOR: "$printed.major",
    By.MONTH: {"$substrBytes": ["$printed.issued_on", 0, 7]},
}


@dataclass(frozen=True)
class Line:
    key: str
    title: str
    """Of a province the code, which the page has a name for."""
    by_status: Mapping[CertificateStatus, int]
    href: str
    narrowed: str = ""
    """The same as the address of a list, by year."""
    printed: int | None = None
    """How often certificates were printed in the year, each time anew. None where that is not counted by this."""
    handed: int | None = None
    """How many were handed over or sent in the year."""
    blank: int | None = None
    """How many sheets lie there today; None beside the figures of another year."""

    @property
    def issued(self) -> int:
        """All that ever had a file, whatever became of it; what waits to be signed is none yet, a number given up never was."""
        return sum(count for one, count in self.by_status.items() if one.issued)

    def count(self, status: CertificateStatus) -> int:
        return self.by_status.get(status, 0)

    @property
    def printed_href(self) -> str:
        return f"/admin/certificates/entries?kind={EntryKind.PRINTED.value}&{self.narrowed}"

    @property
    def handed_href(self) -> str:
        return f"/admin/certificates/handovers?{self.narrowed}"

    @property
    def blank_href(self) -> str:
        return f"/admin/stock/left?{self.narrowed}"

    @property
    def issued_href(self) -> str:
        return f"{self.href}&issued=1"

    def list_of(self, status: CertificateStatus) -> str:
        return f"{self.href}&status={status.value}"


async def statistics(platform: Platform, actor: Actor, year: int, by: By) -> list[Line]:
    """Of the actor's jurisdiction."""
    found: dict[str, dict[CertificateStatus, int]] = {}
    for key, status, count in await certificates.tally(platform, actor, year, _READ[by]):
        found.setdefault(key, {})[CertificateStatus(status)] = count
    more: list[dict[str, int]] = []
    titles: dict[str, str] = {one.value: f"{one.label}" for one in Level} if by is By.LEVEL else {}
    if by in (By.INSTITUTION, By.PROVINCE):
        listed = {one.id: one for one in await institutions.list_institutions(platform, actor)}
        titles = {one.id: one.name for one in listed.values()} if by is By.INSTITUTION else {}
        more = [
            await ledger.entries_in(platform, actor, EntryKind.PRINTED, year),
            await store.handed_by_institution(platform, actor.jurisdiction, year),
        ]
        if year == beijing_date(platform.clock.now()).year:
            more.append(await paper_store.left_by_institution(platform, actor.jurisdiction))
        if by is By.PROVINCE:
            more = [
                _by_province(one, {key: each.province_code for key, each in listed.items()}) for one in more
            ]
    keys = sorted(found.keys() | {key for one in more for key in one})
    return [
        Line(
            key,
            titles.get(key, key),
            found.get(key, {}),
            f"/admin/certificates?{urlencode({'year': year, by.value: key})}",
            urlencode({"year": year, by.value: key}),
            *(one.get(key, 0) for one in more),
        )
        for key in keys
    ]


def _by_province(counts: Mapping[str, int], provinces: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for institution, count in counts.items():
        code = provinces.get(institution, "")
        found[code] = found.get(code, 0) + count
    return found
