"""How fast a session of 2,000 events opens: server time, and time until Chromium has drawn it.

    python benchmarks/timeline.py [--events 2000] [--requests 20]

Sends one session with text through the ordinary door of a stack of its own, signs in and opens the
session's page again and again, one request at a time.
"""

from __future__ import annotations

import argparse
import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from harness import Stack, percentile, running_stack, table

from tests.browser import browser, open_context

WORDS = "the parcel that I ordered last week has not come and nobody tells me where it is now "
EVENTS_A_TURN = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--requests", type=int, default=20)
    options = parser.parse_args()
    with running_stack() as stack:
        send(stack, session_of(options.events))
        stack.wait_until_digested()
        with browser() as opened:
            context = open_context(opened, f"http://127.0.0.1:{stack.port}")
            page = context.new_page()
            sign_in(page, stack)
            page.goto("/sessions/?user_id=kim")
            path = str(page.locator(".row-link").first.get_attribute("href")).partition("?")[0]
            served, size = measure_served(context, path, options.requests)
            drawn = measure_drawn(page, path, options.requests)
    table(
        f"A session of {options.events:,} events, {options.requests} requests",
        [
            ("answer, p50", f"{percentile(served, 0.5) * 1000:,.0f} ms"),
            ("answer, p95", f"{percentile(served, 0.95) * 1000:,.0f} ms"),
            ("opened in Chromium (load event and a frame), p50", f"{percentile(drawn, 0.5) * 1000:,.0f} ms"),
            ("opened in Chromium (load event and a frame), p95", f"{percentile(drawn, 0.95) * 1000:,.0f} ms"),
            ("page", f"{size:,} bytes"),
        ],
    )


def session_of(count: int) -> list[dict[str, Any]]:
    """A session of `count` events: turns of a message, seven operations, an answer and a rating."""
    start = datetime.now(UTC) - timedelta(days=1)
    names = ("llm_query_sent", "retrieval", "tool_call", "tool_call", "step", "model_call", "agent_run", "step",
             "llm_response_generated", "response_feedback")  # fmt: skip
    return [_event(number, names[number % EVENTS_A_TURN], start) for number in range(count)]


def _event(number: int, name: str, start: datetime) -> dict[str, Any]:
    turn = number // EVENTS_A_TURN
    own: dict[str, dict[str, Any]] = {
        "llm_query_sent": {"query_text": WORDS * 2, "frustrated": turn % 9 == 4, "user_id": "kim", "language": "en"},
        "retrieval": {"duration_ms": 700, "status": "ok", "documents": [{"id": f"d{n}"} for n in range(5)]},
        "tool_call": {"tool_name": "get_order", "duration_ms": 800, "status": "error" if turn % 7 == 3 else "ok"},
        "step": {"stage": "plan", "duration_ms": 300, "status": "ok"},
        "model_call": {"model": "gpt-4o", "provider": "openai", "input_tokens": 900, "output_tokens": 90},
        "agent_run": {"agent_name": "planner", "duration_ms": 4000, "depth": 1, "status": "ok"},
        "llm_response_generated": {
            "response_id": f"r{turn}", "model": "gpt-4o", "provider": "openai", "input_tokens": 1200,
            "output_tokens": 200, "latency_ms": 5000, "response_text": f"{WORDS * 3}[1].", "cited_sentences": 1,
            "total_sentences": 3, "grounding_expected": True, "sources": [{"id": "d1", "title": "Parcels"}],
        },
        "response_feedback": {"response_id": f"r{turn}", "feedback_type": "thumbs_up"},
    }  # fmt: skip
    at = start + timedelta(seconds=number)
    return {"event": name, "id": f"e{number}", "timestamp": at.isoformat(), "session_id": "long", **own[name]}


def send(stack: Stack, events: list[dict[str, Any]]) -> None:
    for first in range(0, len(events), 500):
        request = urllib.request.Request(
            f"http://127.0.0.1:{stack.port}/api/v1/events",
            data=json.dumps(events[first : first + 500]).encode(),
            headers={
                "Authorization": f"Bearer {stack.facts['ingest_key']}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.loads(answer.read())
        if told["rejected"]:
            raise SystemExit(f"Events were rejected: {told['errors'][:1]}")


def sign_in(page: Any, stack: Stack) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", stack.facts["login"])
    page.fill("input[name=password]", stack.facts["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/dashboard/")


def measure_served(context: Any, path: str, count: int) -> tuple[list[float], int]:
    """Seconds of each request until the whole answer is there, and the answer's size."""
    taken, size = [], 0
    for _ in range(count):
        begun = time.perf_counter()
        answer = context.request.get(path)
        body = answer.body()
        taken.append(time.perf_counter() - begun)
        size = len(body)
        if answer.status != 200 or body.count(b'class="step step--') < 100:
            raise SystemExit(f"{path} answered {answer.status}.")
    return taken, size


def measure_drawn(page: Any, path: str, count: int) -> list[float]:
    """Seconds from going there until the page has loaded and a frame of it was drawn."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        page.goto(path, wait_until="load")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
        taken.append(time.perf_counter() - begun)
    return taken


if __name__ == "__main__":
    main()
