"""From an event's sending to its being counted on a page, at a steady rate of events.

Every probe is one event with a `feature` of its own; it is looked for on the metric page's own address
as a signed-in browser does, again and again until it is counted. The open dashboard asks for news every
few seconds; that wait, uniform over the interval, is added in the second figure.
"""

from __future__ import annotations

import argparse
import http.client
import json
import threading
import time
from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Any

from harness import Stack, percentile, running_stack, table
from workload import events, send

SENDING_EVERY_S = 0.1
PROBE_EVERY_S = 0.5
LOOK_EVERY_S = 0.05
PAGE_ASKS_EVERY_S = 5.0
PATIENCE_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=500, help="Events per second.")
    options = parser.parse_args()
    with running_stack() as stack:
        done = threading.Event()
        sent: list[int] = []
        background = threading.Thread(target=keep_sending, args=(stack, options.rate, done, sent))
        background.start()
        begun = time.monotonic()
        delays = probe(stack, options.seconds)
        done.set()
        background.join()
        seconds = time.monotonic() - begun
    random = Random(1)
    shown = [delay + random.uniform(0, PAGE_ASKS_EVERY_S) for delay in delays]
    table(
        f"Freshness: event to KPI, {len(delays)} probes",
        [
            ("rate", f"{sum(sent) / seconds:,.0f} events/s acknowledged"),
            ("counted p50", f"{percentile(delays, 0.50):.2f} s"),
            ("counted p95", f"{percentile(delays, 0.95):.2f} s"),
            ("counted, slowest", f"{max(delays):.2f} s"),
            (
                f"on an open page p95 (asks every {PAGE_ASKS_EVERY_S:.0f} s)",
                f"{percentile(shown, 0.95):.2f} s",
            ),
        ],
    )


def keep_sending(stack: Stack, rate: int, done: threading.Event, sent: list[int]) -> None:
    """A steady stream of small batches."""
    size = round(rate * SENDING_EVERY_S)
    stream = events("background", 10_000_000, datetime.now(UTC))
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    key, due = stack.facts["ingest_key"], time.monotonic()
    while not done.is_set():
        body = json.dumps({"events": list(islice(stream, size))}).encode()
        status, answer, _ = send(connection, key, body)
        if status != 200:
            raise SystemExit(f"A request failed: {status} {answer[:200]!r}")
        sent.append(json.loads(answer)["accepted"])
        due += SENDING_EVERY_S
        time.sleep(max(0.0, due - time.monotonic()))


def probe(stack: Stack, seconds: float) -> list[float]:
    """Delays of probes, each looked for by a thread of its own."""
    delays: list[float] = []
    lookers: list[threading.Thread] = []
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        event = one_event(number)
        begun = time.monotonic()
        status, answer, _ = send(connection, stack.facts["ingest_key"], json.dumps([event]).encode())
        if status != 200:
            raise SystemExit(f"A probe failed: {status} {answer[:200]!r}")
        looker = threading.Thread(target=look, args=(stack, event["feature"], begun, delays))
        looker.start()
        lookers.append(looker)
        time.sleep(PROBE_EVERY_S)
    for looker in lookers:
        looker.join()
    if len(delays) != number:
        raise SystemExit(
            f"{number - len(delays)} of {number} probes were not counted within {PATIENCE_S:.0f} s."
        )
    return delays


def one_event(number: int) -> dict[str, Any]:
    return {
        "event": "llm_response_generated",
        "id": f"probe-{number}",
        "timestamp": datetime.now(UTC).isoformat(),
        "session_id": f"probe-{number}",
        "feature": f"probe-{number}",
        "model": "gpt-4o",
        "provider": "openai",
        "latency_ms": 900,
        "status": "ok",
    }


def look(stack: Stack, feature: str, begun: float, delays: list[float]) -> None:
    """Ask until the probe's session is counted."""
    path = f"/api/v1/metrics/sessions?interval=total&filter.feature={feature}"
    while time.monotonic() - begun < PATIENCE_S:
        if stack.get(path)["points"][0]["value"] == 1:
            delays.append(time.monotonic() - begun)
            return
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
