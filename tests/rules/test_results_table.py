"""The table of results: what is not decided is neither zero nor failed."""

from __future__ import annotations

import pytest

from server.admissions.rules import is_called
from server.assessment.documents import ResultMark
from server.assessment.rules import TaskKind, Verdict
from server.assessment.table import Cell, CellState, Only, ResultRow, decided


def cell(state: CellState, points: int | None = None, kind: TaskKind = TaskKind.FORMATIVE) -> Cell:
    return Cell(ResultMark(task_id="t", title="任务", kind=kind, points=points, maximum=100), state)


def row(verdict: Verdict, *cells: Cell) -> ResultRow:
    return ResultRow("p", "林试禾", "1" * 18, "", list(cells), None, None, None, 0, 80, verdict, "")


@pytest.mark.parametrize(
    ("states", "certain"),
    [
        ([CellState.GRADED, CellState.MISSING], True),
        ([CellState.GRADED, CellState.OPEN], False),
        ([CellState.WAITING], False),
        ([], False),
    ],
)
def test_a_kind_is_decided_when_all_of_it_is_marked_or_too_late(
    states: list[CellState], certain: bool
) -> None:
    cells = [cell(state) for state in states]
    other = cell(CellState.OPEN, kind=TaskKind.SUMMATIVE)
    assert decided([*cells, other], TaskKind.FORMATIVE) is certain


def test_a_mark_of_zero_is_a_mark_and_no_mark_is_not() -> None:
    words = [cell(CellState.GRADED, 0).words, cell(CellState.WAITING).words, cell(CellState.OPEN).words]
    assert words == ["0", "待批阅", "未定"]


def test_the_table_is_narrowed_to_whom_something_is_asked_of() -> None:
    waits = row(Verdict.PENDING, cell(CellState.WAITING), cell(CellState.OPEN))
    failed = row(Verdict.FAILED, cell(CellState.MISSING))
    fitting = {only: [one.is_among(only) for one in (waits, failed)] for only in (None, *Only)}
    assert fitting == {
        None: [True, True],
        Only.WAITING: [True, False],
        Only.MISSING: [False, True],
        Only.FAILED: [False, True],
    }
    assert (waits.outcome, failed.outcome) == ("未定", "不合格")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("试依木", True),
        ("古丽试依木", True),
        ("123x", True),
        ("１２３Ｘ", True),
        ("9123X", True),
        ("23X", False),
        ("1234", False),
        ("", False),
        ("·", False),
    ],
)
def test_who_is_meant_at_the_desk(words: str, meant: bool) -> None:
    assert is_called(words, "古丽·试依木", "130" + "*" * 11 + "123X") is meant
