"""What the check of the ledger can find (article 18 (2): 账实相符), and how it is noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.certificates import store
from server.certificates.documents import LedgerFinding
from server.institutions import service as institutions
from server.institutions.documents import Institution
from server.kernel.titled import Titled
from server.kernel.unit_of_work import UnitOfWork


class FindingKind(Titled):
    GAP = "GAP", "缺号"
    BEYOND = "BEYOND", "超出已取的顺序号"
    REPEATED = "REPEATED", "重号"
    MALFORMED = "MALFORMED", "内容或编码不合规则"
    NOT_PASSED = "NOT_PASSED", "没有合格的考核结果"
    COUNT = "COUNT", "核发数与台账数不符"
    DAYS = "DAYS", "培训时间与上课日期不符"
    NO_ENTRY = "NO_ENTRY", "台账没有核发记录"
    NUMBERED = "NUMBERED", "待签证书与取号时不符"
    LOOK = "LOOK", "样式或印章与取号时不符"
    NO_CERTIFICATE = "NO_CERTIFICATE", "台账有记录，证书不在库中"
    ENTRY = "ENTRY", "台账记录被改动"
    CONTENT = "CONTENT", "证书内容与核发时不符"
    BASIS = "BASIS", "成绩或课次与核发时不符"
    STATUS = "STATUS", "证书状态与台账不符"
    FILE = "FILE", "证书文件与核发时不符"


@dataclass(frozen=True)
class Finding:
    """Something that does not fit. `subject` is the code, the certificate or the class that it is about."""

    kind: FindingKind
    subject: str
    detail: str


def finding_of(institution: Institution, found: Finding, now: datetime) -> LedgerFinding:
    return LedgerFinding(
        institution_code=institution.id,
        province_code=institution.province_code,
        institution_name=institution.name,
        kind=found.kind,
        subject=found.subject,
        detail=found.detail,
        found_at=now,
    )


async def note(unit: UnitOfWork, institution_code: str, found: Sequence[Finding]) -> int:
    """Notes at once what does not stand open yet; how much. Raises DuplicateKeyError where somebody else notes it at this moment.

    The next check keeps what it finds too, and resolves the rest.
    """
    institution = await institutions.numbered(unit, institution_code)
    if institution is None:
        return 0
    known = {(one.kind, one.subject) for one in await store.open_findings_of(unit, institution.id)}
    new = [one for one in found if (one.kind.value, one.subject) not in known]
    if new:
        await store.insert_findings(unit, [finding_of(institution, one, unit.now) for one in new])
        unit.audit("certificates:reconcile", institution.id, found=len(new), resolved=0)
    return len(new)
