"""README's table article → chapter → test is true."""

import re
from pathlib import Path

GUIDE = Path(__file__).parent
ROOT = GUIDE.parents[1]


def test_the_table_names_every_conformance_test_and_no_other() -> None:
    named = set(re.findall(r"`tests/guide/(test_article_\w+\.py)`", (ROOT / "README.md").read_text()))
    assert named == {path.name for path in GUIDE.glob("test_article_*.py")}


def test_nothing_stands_twice_and_what_is_pointed_to_is_there() -> None:
    """Two who write at once leave a step or a row twice, and a decision gets another number when it is merged."""
    said = (ROOT / "README.md").read_text()
    tour = said.partition("\n## A tour\n")[2].partition("\n## ")[0]
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", tour, flags=re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1))
    rows = re.findall(r"`tests/guide/(test_article_\w+\.py)` \|$", said, flags=re.MULTILINE)
    assert len(rows) == len(set(rows))
    decisions = {path.name[:4] for path in (ROOT / "server/decisions").glob("[0-9]*.md")}
    assert set(re.findall(r"server/decisions/(\d{4})", said)) <= decisions
