"""A file that nobody can read at one sitting is cut where the guide cuts."""

from pathlib import Path

from admin.routes import ROUTES

HOUSE = Path(__file__).parents[2]
LONGEST = 500
"""Lines of a file of Python."""


def test_no_file_of_the_platform_is_longer_than_a_person_reads_at_one_sitting() -> None:
    parts = ("server", "admin", "miniprogram_api", "scripts")
    files = [
        file for part in parts for file in (HOUSE / part).rglob("*.py") if "node_modules" not in file.parts
    ]
    assert files
    lines = {str(file.relative_to(HOUSE)): file.read_text().count("\n") for file in files}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


LINES_A_ROUTE = 32.35
"""Of Python under admin/: what a page decides belongs to a chapter, what it shows to a template."""


def test_a_page_costs_no_more_python_than_it_did() -> None:
    lines = sum(
        file.read_text().count("\n")
        for file in (HOUSE / "admin").rglob("*.py")
        if "node_modules" not in file.parts
    )
    assert lines / len(ROUTES) <= LINES_A_ROUTE, (
        "move what is decided into services, what is shown into templates"
    )
