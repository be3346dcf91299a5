"""What the check of the ledger can find (article 18 (2): 账实相符)."""

from __future__ import annotations

from dataclasses import dataclass

from server.kernel.titled import Titled


class FindingKind(Titled):
    GAP = "GAP", "缺号"
    BEYOND = "BEYOND", "超出已取的顺序号"
    REPEATED = "REPEATED", "重号"
    MALFORMED = "MALFORMED", "内容或编码不合规则"
    NOT_PASSED = "NOT_PASSED", "没有合格的考核结果"
    COUNT = "COUNT", "核发数与台账数不符"
    DAYS = "DAYS", "培训时间与上课日期不符"
    NO_ENTRY = "NO_ENTRY", "台账没有核发记录"
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
