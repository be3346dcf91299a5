"""Benches: `scripts/bench NAME` runs the module NAME of this package, whose `main` ends with `report`."""

import json
from collections.abc import Mapping, Sequence


def report(
    bench: str, headings: Sequence[str], rows: Sequence[Sequence[object]], ratios: Mapping[str, float]
) -> None:
    """Print the table for people, the first column to the left and numbers to the right, then the one JSON line for programs."""
    table = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for first, *others in table:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]))
    print(json.dumps({"bench": bench, "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()}}))
