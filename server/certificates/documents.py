"""What a certificate says."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from server.certificates.rules import is_number, is_serial, parse_number, parse_serial
from server.institutions.rules import Level

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\r\n\t]+$")
]


class CertificateSnapshot(BaseModel):
    """Everything that is printed (article 17), fixed at issue: later changes of names or courses do not reach it.

    `id_number` is in clear and lives in memory only; whoever stores a snapshot encrypts it first. It is left out of
    `repr` and of error messages. `template_version` names the layout that printed it, so that an old certificate can
    be printed again as it was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Line
    id_number: Annotated[str, Field(repr=False, pattern=r"^[0-9]{17}[0-9X]$")]
    training_from: date
    training_to: date
    level: Level
    major: Line
    courses: Annotated[tuple[Line, ...], Field(min_length=1, max_length=8)]
    class_hours: Annotated[int, Field(gt=0, lt=10_000)]
    result: Line
    issuer: Line
    serial: str
    number: str
    issued_on: date
    class_name: Line
    template_version: int

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.training_to < self.training_from:
            raise ValueError("培训结束日期不能早于开始日期")
        if not is_serial(self.serial) or not is_number(self.number):
            raise ValueError("证书序列号或证书编号不符合编码规则（指南第十七条）")
        if parse_serial(self.serial)[:2] != parse_number(self.number)[:2]:
            raise ValueError("证书序列号与证书编号不属于同一培训机构")
        if parse_number(self.number).level is not self.level:
            raise ValueError("证书编号的级别代码与培训级别不一致")
        return self
