"""Every number can be followed to what it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization
from apps.conversations import sealing
from apps.core.tenancy import tenant
from apps.metrics.behind import MAX_ROWS, parts, rows_behind, titled, whole_of
from apps.metrics.catalogue import METRICS
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.series import Query
from apps.pricing.prices import PRICE_VERSION
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


@pytest.mark.parametrize("is_sealed", [False, True])
def test_rows_add_up_to_every_part_of_every_metric(
    sender: Sender, now: datetime, is_sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, event in enumerate(rich_traffic(21, now)):
        sender.send(
            {"cost_usd": number / 8, **event} if event["event"] == "llm_response_generated" else event
        )
    sender.digest()
    if is_sealed:
        monkeypatch.setattr(sealing, "FEWEST", 1)
        sealing.seal_organization(sender.provisioned.organization.id, now + timedelta(days=30))
    at = now + timedelta(hours=2)
    start, end = now.date() - timedelta(days=4), now.date() + timedelta(days=2)
    compared = set()
    with tenant(sender.provisioned.organization.id):
        organization = Organization.objects.get()
        for metric in METRICS.values():
            whole = whole_of(organization, metric, Query((metric.key,), start, end, "total"), at)
            for part, told in zip(titled(metric), parts(metric, whole), strict=True):
                found = rows_behind(metric, whole, told["side"], limit=MAX_ROWS)
                assert found is not None
                assert found["of"] == told["title"]
                assert found["next"] is None
                values = [float(row["value"]) for row in found["rows"] if row["value"] is not None]
                if isinstance(part, Histogram):
                    assert found["count"] == told["value"], (metric.key, part.title)
                elif isinstance(part, Measure) and part.is_peak:
                    assert max(values, default=None) == told["value"], (metric.key, part.title)
                else:
                    assert sum(values) == pytest.approx(float(told["value"])), (metric.key, part.title)
                compared.add(type(part).__name__)
    assert compared == {"Measure", "Histogram", "People"}


@pytest.mark.parametrize(
    ("key", "calculation"),
    [
        ("frustration_spike_rate", "1 ÷ 2 = 0.5"),
        ("cost_per_request", "$0.75 ÷ 2 = $0.375"),
        ("latency_p95", "95th percentile of 2 values = "),
        ("deflection_value_total", "$12 − $0.5 = $11.5"),
        ("escalation_deflection_value", "($12 − $0.5) ÷ 30 = $0.383333"),
        ("token_efficiency_index", "(1 × 30 + 0.5 × 0 + 0.2 × 10) ÷ all these tokens = 0.8"),
        ("cost_per_user", "$0.75 ÷ 2 = $0.375"),
        ("retention_d1", "0 ÷ 0 = no value"),
    ],
)
def test_fills_the_numbers_into_the_formula(
    sender: Sender, now: datetime, key: str, calculation: str
) -> None:
    calm = {"cost_usd": 0.5, "latency_ms": 100, "input_tokens": 20, "output_tokens": 10}
    angry = {"cost_usd": 0.25, "latency_ms": 200, "input_tokens": 5, "output_tokens": 5}
    for number, fields in enumerate((calm, angry)):
        user = f"u{number}"
        sender.send(
            query(now, f"s{number}", user_id=user, frustrated=bool(number)),
            response(now + timedelta(seconds=1), f"s{number}", user_id=user, **fields),
        )
    sender.digest()
    days = {"from": now.date() - timedelta(days=3), "to": now.date() + timedelta(days=1)}
    assert explained(sender, key, **days)["calculation"].startswith(calculation)


def test_tells_method_weights_prices_and_where_it_was_read(sender: Sender, now: datetime) -> None:
    sender.send(
        query(now, user_id="a"),
        response(now, user_id="a", cost_usd=0.5),
        response(now, user_id="a", provider="openai", model="gpt-4o", input_tokens=9, output_tokens=9),
    )
    sender.digest()
    cost = explained(sender, "cost_total")
    assert [(price["source"], price["calls"]) for price in cost["prices"]] == [("list", 1), ("sent", 1)]
    assert cost["prices"][0]["version"] == PRICE_VERSION
    assert cost["answered_from"] == ["rollups"]
    assert cost["interval"] is None
    assert explained(sender, "cost_total", interval="hour")["answered_from"] == ["facts"]
    assert explained(sender, "error_rate")["interval"].startswith("Wilson")
    assert explained(sender, "error_rate")["prices"] == []
    assert sorted(explained(sender, "token_efficiency_index")["weights"].values()) == [0.2, 0.5, 1.0]


def test_names_the_people_behind_a_number_page_by_page(sender: Sender, now: datetime) -> None:
    sender.send(*(query(now, f"s{number}", user_id=f"u{number}") for number in range(5)))
    sender.digest()
    first = explained(sender, "new_users", side="numerator", rows=3)["rows"]["numerator"]
    assert (first["count"], [row["id"] for row in first["rows"]]) == (5, ["u0", "u1", "u2"])
    rest = explained(sender, "new_users", side="numerator", rows=3, cursor=first["next"])["rows"]["numerator"]
    assert ([row["id"] for row in rest["rows"]], rest["next"]) == (["u3", "u4"], None)
    assert explained(sender, "cost_per_user", side="part-2")["rows"]["part-2"]["count"] == 5
    assert explained(sender, "cost_per_user", 400, side="part-3")["code"] == "bad_side"
