"""Events as a support assistant sends them, and a load generator in a process of its own."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

SESSIONS_AT_ONCE = 200
MODELS = (("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"))
TOOLS = ("search_kb", "get_order", "refund")
TRIES = 40
TEXTS = {"llm_query_sent": "query_text", "llm_response_generated": "response_text"}
VOCABULARY = [
    "I",
    "my",
    "the",
    "a",
    "to",
    "of",
    "for",
    "in",
    "order",
    "account",
    "refund",
    "please",
    "can",
    "you",
    "not",
    "still",
    "does",
    "it",
    "is",
    "was",
    "this",
    "that",
    "what",
    "when",
    "how",
    "where",
    "invoice",
    "delivery",
    "address",
    "change",
    "password",
    "email",
    "phone",
    "card",
    "payment",
    "failed",
    "error",
    "again",
    "already",
    "asked",
    "agent",
    "human",
    "thanks",
    "hello",
    "yes",
    "no",
    "need",
    "want",
    "help",
    "problem",
    "working",
    "broken",
    "received",
    "wrong",
    "item",
    "return",
    "policy",
    "day",
    "days",
    "week",
    "number",
    "customer",
    "service",
    "contact",
    "support",
    "page",
    "app",
    "website",
    "login",
    "see",
    "find",
    "send",
    "sent",
    "answer",
    "question",
    "sorry",
    "great",
    "perfect",
    "never",
    "always",
]


def events(run: str, count: int, begun: datetime, words: int = 0) -> Iterator[dict[str, Any]]:
    """`count` events, many sessions interleaved, 2 ms apart; ids are unique within `run`.

    Messages and responses have a text of so many `words`.
    """
    random = Random(run)
    open_sessions: list[Iterator[dict[str, Any]]] = []
    started = 0
    for number in range(count):
        while len(open_sessions) < SESSIONS_AT_ONCE:
            open_sessions.append(_session(f"{run}-s{started}", random))
            started += 1
        at = random.randrange(len(open_sessions))
        event = next(open_sessions[at], None)
        if event is None:
            open_sessions[at] = _session(f"{run}-s{started}", random)
            started += 1
            event = next(open_sessions[at])
        event["id"] = f"{run}-{number}"
        if words and event["event"] in TEXTS:
            event[TEXTS[event["event"]]] = " ".join(random.choices(VOCABULARY, k=words))
        event["timestamp"] = (begun + timedelta(milliseconds=2 * number)).isoformat()
        yield event


def _session(session_id: str, random: Random) -> Iterator[dict[str, Any]]:
    base = {
        "session_id": session_id,
        "user_id": f"u{random.randrange(50_000)}",
        "channel": random.choice(("web", "mobile", "email")),
        "intent": random.choice(("refund", "order_status", "billing", "technical_issue")),
        "feature": random.choice(("orders", "refunds", "billing")),
        "release": "2026.11",
        "language": "en",
    }
    provider, model = random.choice(MODELS)
    for turn in range(1, random.randint(2, 5)):
        trace = f"{session_id}-t{turn}"
        yield {
            "event": "llm_query_sent",
            **base,
            "conversation_turn": turn,
            "query_length": random.randrange(10, 300),
            "frustrated": random.random() < 0.05,
        }
        if random.random() < 0.6:
            duration = round(random.lognormvariate(5.5, 0.5), 1)
            tool = random.choice(TOOLS)
            yield {
                "event": "tool_call",
                **base,
                "tool_name": tool,
                "duration_ms": duration,
                "status": "ok",
                "trace_id": trace,
            }
        latency = round(random.lognormvariate(7.3, 0.4), 1)
        yield {
            "event": "llm_response_generated",
            **base,
            "response_id": f"{session_id}-r{turn}",
            "conversation_turn": turn,
            "provider": provider,
            "model": model,
            "input_tokens": random.randrange(300, 3000),
            "output_tokens": random.randrange(40, 600),
            "latency_ms": latency,
            "ttft_ms": round(latency / 4, 1),
            "status": "error" if random.random() < 0.01 else "ok",
            "prompt_version": "v13",
            "cited_sentences": random.randrange(0, 4),
            "total_sentences": 4,
            "grounding_expected": True,
            "trace_id": trace,
        }
    if random.random() < 0.1:
        yield {"event": "handoff", **base, "target": "human"}


def bodies(run: str, count: int, size: int, begun: datetime, words: int = 0) -> list[bytes]:
    """Request bodies of `size` events each."""
    stream = events(run, count, begun, words)
    found = []
    while batch := list(islice(stream, size)):
        found.append(json.dumps({"events": batch}, separators=(",", ":")).encode())
    return found


def send(connection: http.client.HTTPConnection, key: str, body: bytes) -> tuple[int, bytes, float]:
    """One request; returns status, answer and the seconds to wait before another try."""
    connection.request(
        "POST",
        "/api/v1/events",
        body,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    return answer.status, answer.read(), float(answer.headers.get("Retry-After") or 0)


def generate(
    run: str, count: int, size: int, connections: int, port: int, key: str, words: int = 0
) -> dict[str, float]:
    """Send everything over some connections; returns acknowledged events, seconds and refusals.

    Bodies are made before the clock starts. A request that is refused with 429 is sent again.
    """
    waiting = bodies(run, count, size, datetime.now(UTC) - timedelta(minutes=20), words)
    lock = threading.Lock()
    told = {"acknowledged": 0, "refused": 0, "slowest_s": 0.0}
    failures: list[str] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                if not waiting:
                    return
                body = waiting.pop()
            for _ in range(TRIES):
                begun = time.monotonic()
                status, answer, wait_s = send(connection, key, body)
                took = time.monotonic() - begun
                with lock:
                    told["slowest_s"] = max(told["slowest_s"], took)
                    told["refused"] += status == 429
                if status != 429:
                    break
                time.sleep(wait_s or 0.1)
            if status != 200:
                failures.append(f"{status} {answer[:200]!r}")
                return
            with lock:
                told["acknowledged"] += json.loads(answer)["accepted"]

    threads = [threading.Thread(target=work) for _ in range(connections)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"A request failed: {failures[0]}")
    return {**told, "seconds": time.monotonic() - begun}


def generate_apart(**arguments: Any) -> dict[str, float]:
    """`generate` in a process of its own, as clients are."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The load generator failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(generate(**json.loads(sys.argv[1]))))
