"""Every number can be followed to what it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.tenancy import tenant
from apps.metrics.behind import rows_behind, slice_of
from apps.metrics.catalogue import METRICS
from apps.metrics.series import Query, run
from tests.conftest import Sender, query, response
from tests.metrics.test_rollups import rich_traffic


def explained(sender: Sender, key: str, status: int = 200, **parameters: Any) -> Any:
    answer = Client().get(
        f"/api/v1/metrics/{key}/explain",
        {"from": str(sender.now.date() - timedelta(days=3)), "interval": "total", **parameters},
        headers={"Authorization": f"Bearer {sender.provisioned.keys['read_key']}"},
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def test_names_the_sessions_behind_numerator_and_denominator(sender: Sender, now: datetime) -> None:
    for number in range(3):
        at = now + timedelta(minutes=number)
        sender.send(query(at, f"s{number}", frustrated=number == 1), response(at, f"s{number}"))
    sender.digest()
    answer = explained(sender, "frustration_spike_rate")
    assert answer["formula"] == ("spiked closed sessions ÷ closed sessions with a scored turn")
    assert [part["value"] for part in answer["parts"]] == [1, 3]
    assert [row["id"] for row in answer["rows"]["numerator"]["rows"]] == ["s1"]
    assert [row["id"] for row in answer["rows"]["denominator"]["rows"]] == ["s2", "s1", "s0"]
    assert answer["series"]["points"][0]["value"] == pytest.approx(1 / 3)


def test_goes_on_after_a_page(sender: Sender, now: datetime) -> None:
    for number in range(5):
        sender.send(query(now, f"s{number}", frustrated=False), response(now, f"s{number}"))
    sender.digest()
    seen: list[str] = []
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = explained(sender, "sessions", side="numerator", rows=2, **more)["rows"]["numerator"]
        assert page["count"] == 5
        seen += [row["id"] for row in page["rows"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == ["s4", "s3", "s2", "s1", "s0"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"rows": "0"}, "bad_rows"),
        ({"rows": "9999"}, "bad_rows"),
        ({"side": "left"}, "bad_side"),
        ({"cursor": "x"}, "missing_side"),
        ({"cursor": "x", "side": "numerator"}, "bad_cursor"),
        ({"cursor": "2026-99-99T00:00:00+00:00|x", "side": "numerator"}, "bad_cursor"),
    ],
)
def test_refuses_what_it_can_not_read(sender: Sender, parameters: dict[str, str], code: str) -> None:
    status = 422 if code == "bad_rows" else 400
    assert explained(sender, "sessions", status, **parameters)["code"] == code


def test_rows_add_up_to_the_number_for_every_metric(sender: Sender, now: datetime) -> None:
    sender.send(*rich_traffic(21, now))
    sender.digest()
    at = now + timedelta(hours=2)
    with tenant(sender.provisioned.organization.id):
        organization = sender.provisioned.organization
        for metric in METRICS.values():
            if any(measure.is_peak for measure in metric.formula.measures()):
                continue  # A maximum is no sum.
            asked = Query(
                (metric.key,), now.date() - timedelta(days=4), now.date() + timedelta(days=2), "total"
            )
            point = run(organization, asked, at)[metric.key].points[0]
            piece = slice_of(organization, metric, asked, at)
            for side in ("numerator", "denominator"):
                found = rows_behind(metric, piece, side, limit=200)
                if found is None or metric.unit not in ("ratio", "count"):
                    continue
                number = getattr(point, side)
                if isinstance(number, int) and all(row["value"] in (0, 1) for row in found["rows"]):
                    assert sum(row["value"] for row in found["rows"]) == number, (metric.key, side)
