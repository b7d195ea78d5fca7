"""kill -9 of every process of the stack under load: nothing acknowledged is lost, nothing counted twice.

Redis keeps nothing on disk, so that its kill wipes its data. Clients send a batch again until it is
acknowledged, as real ones do. At the end the stored ids are compared with those that were sent, and every
KPI with what `manage.py recompute` makes of the events alone.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
from harness import Stack, children_of, running_stack, table, wait_for
from workload import events, send

BATCH = 100
CONNECTIONS = 3
PAUSE_S = 0.15
CALM_S = 1.0
RECOVERY_S = 60
POLL_S = 0.05
# On a day that has ended, every session closed: no KPI changes by the clock while they are compared.
AGE = timedelta(hours=26)
STREAM_EVENTS = 400_000
METRICS_A_QUERY = 20


@dataclass
class Sent:
    """What clients know: ids of acknowledged batches, and how often they had to try."""

    acknowledged: set[str] = field(default_factory=set)
    accepted: int = 0
    duplicate: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="Kills of each process.")
    options = parser.parse_args()
    sent, begun = Sent(), time.monotonic()
    recoveries: dict[str, list[float]] = {}
    with running_stack() as stack:
        done = threading.Event()
        clients = [
            threading.Thread(target=keep_sending, args=(stack, f"c{number}", done, sent))
            for number in range(CONNECTIONS)
        ]
        for client in clients:
            client.start()
        try:
            for _ in range(options.kills):
                for name, victim in VICTIMS.items():
                    time.sleep(CALM_S)
                    recoveries.setdefault(name, []).append(kill(stack, name, victim))
        finally:
            done.set()
            for client in clients:
                client.join()
        stack.wait_until_digested()
        found = verify(stack, sent)
    report(options.kills, sent, recoveries, found, time.monotonic() - begun)
    if sent.errors or any(found.values()):
        print("\n".join(sent.errors[:5]), file=sys.stderr)
        sys.exit(1)


def child_of(name: str) -> Callable[[Stack], int]:
    """A process that the supervised one forked; one that has just started is waited for."""

    def find(stack: Stack) -> int:
        wait_for(lambda: len(children_of(stack.pids[name])) >= 2, RECOVERY_S, f"the children of {name}")
        return children_of(stack.pids[name])[0]

    return find


def supervised(name: str) -> Callable[[Stack], int]:
    return lambda stack: stack.pids[name]


VICTIMS: dict[str, Callable[[Stack], int]] = {
    "web worker": child_of("web"),
    "web master": supervised("web"),
    "worker": supervised("worker"),
    "worker's pool": child_of("worker"),
    "beat": supervised("beat"),
    "postgres": supervised("postgres"),
    "redis": supervised("redis"),
}


PARENTS = {"web worker": "web", "worker's pool": "worker"}


def kill(stack: Stack, name: str, victim: Callable[[Stack], int]) -> float:
    """Kill one process of ours and wait until the stack is whole again; returns the seconds."""
    pid = end(stack, victim)
    begun = time.monotonic()

    def is_whole() -> bool:
        if name in PARENTS:
            others = children_of(stack.pids[PARENTS[name]])
            return pid not in others and len(others) >= 2 and stack.is_ready()
        return pid not in stack.pids.values() and stack.is_ready()

    wait_for(is_whole, RECOVERY_S, f"{name} to come back", interval=POLL_S)
    return time.monotonic() - begun


def end(stack: Stack, victim: Callable[[Stack], int]) -> int:
    """Kill the victim; one that left by itself in between (a worker whose broker went) is found anew."""
    while True:
        pid = victim(stack)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            time.sleep(POLL_S)
        else:
            return pid


def keep_sending(stack: Stack, run: str, done: threading.Event, sent: Sent) -> None:
    """Send batches, each again until it is acknowledged, also after the end was called."""
    stream = events(run, STREAM_EVENTS, datetime.now(UTC) - AGE)
    key = stack.facts["ingest_key"]
    while not done.is_set():
        batch = list(islice(stream, BATCH))
        deliver(stack.port, key, batch, sent)
        time.sleep(PAUSE_S)


def deliver(port: int, key: str, batch: list[dict[str, Any]], sent: Sent) -> None:
    body = json.dumps({"events": batch}).encode()
    deadline = time.monotonic() + RECOVERY_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            status, answer, wait_s = send(connection, key, body)
        except (OSError, http.client.HTTPException) as error:
            status, answer, wait_s = 0, type(error).__name__.encode(), 0.1
        finally:
            connection.close()
        with sent.lock:
            if status == 200:
                return acknowledge(json.loads(answer), batch, sent)
            sent.failures[f"{status}" if status else answer.decode()] += 1
            if status not in (0, 429, 503):
                sent.errors.append(f"A client would drop its batch: {status} {answer[:300]!r}")
                return None
            if time.monotonic() > deadline:
                sent.errors.append(f"A batch was not taken within {RECOVERY_S} s: {status} {answer[:300]!r}")
                return None
        time.sleep(min(wait_s or 0.1, 1.0))


def acknowledge(answer: dict[str, Any], batch: list[dict[str, Any]], sent: Sent) -> None:
    sent.accepted += answer["accepted"]
    sent.duplicate += answer["duplicate"]
    if answer["rejected"]:
        sent.errors.append(f"Events were rejected: {answer['errors'][:2]}")
    sent.acknowledged.update(event["id"] for event in batch)


def verify(stack: Stack, sent: Sent) -> dict[str, int]:
    """What went wrong, by name; all zeros are wanted."""
    with psycopg.connect(stack.superuser_url) as connection:
        stored = Counter(name for (name,) in connection.execute("SELECT event_id FROM events_event"))
        ledger = connection.execute("SELECT coalesce(sum(accepted), 0) FROM events_batch").fetchone()
    span = window()
    before = kpis(stack, span)
    stack.manage("recompute", "--organization", stack.facts["organization"])
    after = kpis(stack, span)
    changed = [key for key in before if before[key] != after[key]]
    for key in changed[:5]:
        print(f"{key}: {before[key]} became {after[key]}"[:2000], file=sys.stderr)
    return {
        "acknowledged events lost": len(sent.acknowledged - stored.keys()),
        "events counted twice": sum(count - 1 for count in stored.values()),
        "ledger differs from events": abs(int(ledger[0] if ledger else 0) - stored.total()),
        "KPI series that recompute changes": len(changed),
    }


def kpis(stack: Stack, span: str) -> dict[str, Any]:
    """Points of every metric, by key and interval."""
    metrics = stack.get("/api/v1/metrics")["metrics"]
    every = [metric["key"] for metric in metrics]
    by_channel = [metric["key"] for metric in metrics if "channel" in metric["dimensions"]]
    found = {}
    for interval, keys, more in (
        ("total", every, ""),
        ("hour", every, ""),
        ("day", by_channel, "&group_by=channel"),
    ):
        for start in range(0, len(keys), METRICS_A_QUERY):
            named = ",".join(keys[start : start + METRICS_A_QUERY])
            answer = stack.get(f"/api/v1/metrics/query?metrics={named}&interval={interval}{span}{more}")
            found |= {f"{key} {interval}": one["points"] for key, one in answer["metrics"].items()}
    return found


def window() -> str:
    """Complete days: today's throughput would change from minute to minute."""
    today = datetime.now(UTC).date()
    return f"&from={today - timedelta(days=3)}&to={today}"


def report(
    kills: int, sent: Sent, recoveries: dict[str, list[float]], found: dict[str, int], seconds: float
) -> None:
    again = ", ".join(f"{name} {count}" for name, count in sent.failures.most_common()) or "none"
    rows = [
        (f"{name} killed", f"{len(took)} times, whole again after {max(took):.1f} s at most")
        for name, took in recoveries.items()
    ]
    rows += [
        ("acknowledged", f"{len(sent.acknowledged):,} events ({sent.duplicate:,} sent again and known)"),
        ("tries that failed", again),
        *((name, str(count)) for name, count in found.items()),
        ("took", f"{seconds:.0f} s"),
    ]
    table(f"Kill test: {kills} × kill -9 of each process under load", rows)


if __name__ == "__main__":
    main()
