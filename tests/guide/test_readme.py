"""README's table article → chapter → test is true."""

import re
from pathlib import Path

GUIDE = Path(__file__).parent
ROOT = GUIDE.parents[1]


def test_the_table_names_every_conformance_test_and_no_other() -> None:
    named = set(re.findall(r"`tests/guide/(test_article_\w+\.py)`", (ROOT / "README.md").read_text()))
    assert named == {path.name for path in GUIDE.glob("test_article_*.py")}
