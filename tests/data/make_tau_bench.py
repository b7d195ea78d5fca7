"""Makes `tau_bench.ndjson.zst` from tau-bench's gpt-4o airline traces (MIT licence, Sierra Research).

Usage: python tests/data/make_tau_bench.py gpt-4o-airline.json > tests/data/tau_bench.ndjson.zst
Kept of a trace: who spoke when, names of tools, lengths. Texts are cut to 120 characters.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import zstandard

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
HUMAN = "transfer_to_human_agents"


def events_of(number: int, trace: dict[str, Any]) -> list[dict[str, Any]]:
    """One trace as events; timestamps are seconds from the trace's begin, to be shifted by the reader."""
    at = BEGIN + timedelta(minutes=20 * number)
    session = f"tau-{number:03d}"
    events: list[dict[str, Any]] = []

    def add(event: str, **fields: Any) -> None:
        nonlocal at
        at += timedelta(seconds=4)
        identity = {"event": event, "id": f"{session}-{len(events)}", "timestamp": at.isoformat()}
        events.append(
            {**identity, "session_id": session, "user_id": trace["info"]["task"]["user_id"], **fields}
        )

    for message in trace["traj"]:
        text = (message.get("content") or "")[:120]
        if message["role"] == "user":
            add("llm_query_sent", query_text=text, channel="chat", intent="airline")
        if message["role"] != "assistant":
            continue
        for call in message.get("tool_calls") or []:
            name = call["function"]["name"]
            add("tool_call", tool_name=name, status="ok", duration_ms=300)
            if name == HUMAN:
                add("handoff", target="human", from_agent="airline")
        if not message.get("tool_calls"):
            add("llm_response_generated", response_text=text, provider="openai", model="gpt-4o", status="ok")
    return events


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        traces = json.load(file)
    lines = [json.dumps(event) for number, trace in enumerate(traces) for event in events_of(number, trace)]
    sys.stdout.buffer.write(zstandard.compress("\n".join(lines).encode(), 19))


if __name__ == "__main__":
    main()
