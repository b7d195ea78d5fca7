"""200 real agent traces (tau-bench, gpt-4o on the airline task; MIT licence), imported and read over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.management import call_command
from django.test import Client

from apps.conversations.digest import digest_organization

FILE = Path(__file__).parent / "data" / "tau_bench.ndjson.zst"
# Counted in the published file itself: calls by the name of their function, and traces with a transfer.
TOOL_CALLS = {
    "get_reservation_details": 377,
    "search_direct_flight": 141,
    "get_user_details": 120,
    "update_reservation_flights": 104,
    "calculate": 96,
    "think": 92,
    "cancel_reservation": 69,
    "book_reservation": 53,
    "transfer_to_human_agents": 48,
    "search_onestop_flight": 38,
    "update_reservation_baggages": 14,
    "send_certificate": 8,
    "list_all_airports": 2,
    "update_reservation_passengers": 2,
}
TRANSFERRED = 48


@pytest.fixture
def traces() -> list[dict[str, Any]]:
    """The traces' events, moved so that the last one happened two days ago."""
    events = [json.loads(line) for line in zstandard.decompress(FILE.read_bytes()).splitlines()]
    last = max(datetime.fromisoformat(event["timestamp"]) for event in events)
    shift = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2) - last
    for event in events:
        event["timestamp"] = (datetime.fromisoformat(event["timestamp"]) + shift).isoformat()
    return events


def test_tells_of_200_traces_what_the_file_says(
    traces: list[dict[str, Any]], make_organization: Callable[..., Any], tmp_path: Path
) -> None:
    made = make_organization()
    file = tmp_path / "tau.ndjson"
    file.write_text("\n".join(map(json.dumps, traces)))
    call_command("import_events", str(file), organization=made.organization.public_id)
    digest_organization(made.organization.id)

    def read(key: str, **parameters: str) -> list[dict[str, Any]]:
        answer = Client().get(
            f"/api/v1/metrics/{key}",
            {"interval": "total", **parameters},
            headers={"Authorization": f"Bearer {made.keys['read_key']}"},
        )
        assert answer.status_code == 200, answer.content
        return list(answer.json()["points"])

    assert read("sessions")[0]["value"] == 200
    tools = {point["group"]["tool"]: point["value"] for point in read("tool_calls", group_by="tool")}
    assert tools == TOOL_CALLS
    handoffs = read("human_handoff_rate")[0]
    assert (handoffs["numerator"], handoffs["denominator"]) == (TRANSFERRED, 200)


def test_an_import_that_is_repeated_adds_nothing(
    traces: list[dict[str, Any]],
    make_organization: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = make_organization()
    file = tmp_path / "tau.ndjson"
    file.write_text("\n".join(map(json.dumps, traces)))
    for expected in (f"accepted {len(traces):,}  duplicate 0", f"accepted 0  duplicate {len(traces):,}"):
        call_command("import_events", str(file), organization=made.organization.public_id)
        assert expected in capsys.readouterr().out
