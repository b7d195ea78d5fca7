"""200 real agent traces (tau-bench, gpt-4o on the airline task; MIT licence), imported and read over HTTP."""

from __future__ import annotations

import json
from collections import Counter
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

    tools = Counter(event["tool_name"] for event in traces if event["event"] == "tool_call")
    assert sum(tools.values()) == 1164
    humans = {event["session_id"] for event in traces if event["event"] == "handoff"}
    assert read("sessions")[0]["value"] == 200
    assert {point["group"]["tool"]: point["value"] for point in read("tool_calls", group_by="tool")} == tools
    handoffs = read("human_handoff_rate")[0]
    assert (handoffs["numerator"], handoffs["denominator"]) == (len(humans), 200)


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
