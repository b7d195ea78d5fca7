"""CSV of exactly what a page shows, unrounded, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from apps.metrics.answers import number_json
from apps.metrics.formulas import Number
from apps.metrics.query import Series

COLUMNS = ("value", "numerator", "denominator", "n", "low", "high", "provisional")
# A cell that begins with one of these is run as a formula by spreadsheets.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_of(series: Series, by: str) -> str:
    """A line a point: start, the group's value of `by` if any, and the numbers as the API gives them."""
    names = (by,) if by else ()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["metric", "unit", "start", *names, *COLUMNS])
    for point in series.points:
        groups = [safe(point.group.get(name, "")) for name in names]
        numbers = [_cell(getattr(point, name)) for name in COLUMNS]
        writer.writerow([series.metric.key, series.metric.unit, point.start.isoformat(), *groups, *numbers])
    return out.getvalue()


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _cell(value: Number | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    number = number_json(value)
    return "" if number is None else str(number)
