"""The results of a class as a table: a row a trainee, a column a task, and what is not decided yet says so. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from server.assessment.documents import Result, ResultMark
from server.assessment.rules import TaskKind, Verdict
from server.kernel.titled import Titled

UNDECIDED = "未定"
"""Neither zero nor failed: it is not due, or waits for a teacher."""


class CellState(Titled):
    """Where one person's work on one task stands."""

    GRADED = "GRADED", "已评分"
    WAITING = "WAITING", "待批阅"
    MISSING = "MISSING", "未交"
    OPEN = "OPEN", UNDECIDED


class Only(Titled):
    """Whom the table is narrowed to."""

    WAITING = "WAITING", "待批阅"
    MISSING = "MISSING", "未交"
    FAILED = "FAILED", "不合格"


@dataclass(frozen=True)
class Cell:
    mark: ResultMark
    state: CellState

    @property
    def words(self) -> str:
        return self.state.label if self.mark.points is None else str(self.mark.points)


@dataclass(frozen=True)
class ResultRow:
    """A line of the results, as they stand or as they were frozen. Percentages in tenths; None for what is not decided."""

    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    cells: list[Cell]
    formative: int | None
    summative: int | None
    total: int | None
    hours_attended: int
    hours_total: int
    verdict: Verdict
    reason: str

    @property
    def outcome(self) -> str:
        return UNDECIDED if self.verdict is Verdict.PENDING else self.verdict.label

    def is_among(self, only: Only | None) -> bool:
        match only:
            case None:
                return True
            case Only.FAILED:
                return self.verdict is Verdict.FAILED
            case _:
                return any(cell.state.value == only.value for cell in self.cells)

    @classmethod
    def frozen(cls, one: Result) -> ResultRow:
        return cls(
            one.person_id, one.name, one.id_number_masked, one.work_unit,
            [Cell(mark, CellState.MISSING if mark.points is None else CellState.GRADED) for mark in one.marks],
            one.formative_tenths, one.summative_tenths, one.total_tenths,
            one.hours_attended, one.hours_total,
            Verdict.PASSED if one.passed else Verdict.FAILED, one.reason,
        )  # fmt: skip


def decided(cells: list[Cell], kind: TaskKind) -> bool:
    """Whether what one kind of assessment brought is certain: all of it is marked, or too late."""
    states = {cell.state for cell in cells if cell.mark.kind is kind}
    return bool(states) and not states & {CellState.WAITING, CellState.OPEN}
