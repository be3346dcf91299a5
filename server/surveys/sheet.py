"""The results of a class's survey as .xlsx: what the page shows, and as little before they may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.kernel.downloads import Download
from server.kernel.errors import Conflict
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.spreadsheets import Column, Sheet, Value
from server.surveys import rules, service
from server.surveys.rules import Tally
from server.surveys.service import Results


class NothingToShow(Conflict):
    slug = "survey-not-shown"
    title = "还没有可以导出的结果"
    default_detail = "评价截止、份数达到要求后才公布结果，届时可以导出。"


@dataclass(frozen=True)
class Line:
    subject: str
    topic: str
    tally: Tally | None = None


def _lines(found: Sequence[Results]) -> Iterator[Line]:
    for results in found:
        for subject in results.subjects:
            yield Line(subject.title, "合计", subject.tally)
            yield from (Line(subject.title, one.question.topic, one.tally) for one in subject.questions)
        yield from (Line(rules.REMARKS, remark) for remark in results.remarks)


def _counts(points: int) -> Column[Line]:
    def value(line: Line) -> Value:
        return line.tally.counts[points - 1] if line.tally else ""

    return Column(rules.SCALE[points], 10, value)


SHEET = Sheet[Line](
    "满意度评价",
    [
        Column("评价对象", 24, lambda one: one.subject),
        Column("评价内容", 44, lambda one: one.topic),
        Column("平均分", 10, lambda one: float(one.tally.mean) if one.tally else ""),
        *(_counts(points) for points in rules.SCALE),
    ],
    rows=_lines,
)


async def sheet_of_class(platform: Platform, actor: Actor, class_id: str) -> Download:
    """Of a class in the actor's jurisdiction, 补充评价 included. Raises NotFound, NothingToShow."""
    seen = await service.class_survey(platform, actor, class_id)
    found = [one.results for one in (seen, *seen.supplements) if one.results]
    if not found:
        raise NothingToShow()
    return await SHEET.download(found, seen.training_class.name)
