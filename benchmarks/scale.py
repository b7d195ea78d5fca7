"""One organisation with ten million events over 30 days: sizes, answers, digest, beside the same at one million.

One day is sent over HTTP and digested as usual. The other 29 days are copies of its rows in every table (later
times, other ids, other users), made inside the database: sending ten million events takes a quarter of
an hour and leaves the same rows. Answers are then compared with one SQL query each over raw events.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
from harness import Stack, hold, percentile, running_stack, table
from workload import VOCABULARY, send

from apps.events.sealed import KEY
from apps.metrics.sources import EVENT

DAYS = 30
USERS = 200_000
MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
]
BATCH = 2_000
# As long as the reading client waits.
TIMEOUT_MS = 60_000.0
LATE_AGE_DAYS = 20
LATE_EVENTS = 10_000
ONE_DIMENSION = (
    ("error_rate", "model"),
    ("cost_total", "feature"),
    ("tool_calls", "tool"),
    ("frustration_spike_rate", "prompt_version"),
    ("generations", "customer"),
    ("grounding_score", "model"),
)
PERCENTILES = (("latency_p95", "model"), ("ttft_p95", "feature"), ("tool_duration_p95", "tool"))
PEOPLE = (("dau", "model"), ("dau", "feature"))
WINDOWS = (("wau", "model"), ("mau", "model"))
TWELVE = (
    "frustration_spike_rate,recovery_rate,grounding_score,token_efficiency_index,cost_total,error_rate,"
    "generations,tool_calls,tokens_total,sessions,handoff_rate,escalation_rate"
)
SEVERAL = (
    ("error_rate", "model,feature"),
    ("cost_total", "model,feature,prompt_version"),
    ("tokens_total", "customer,model"),
)
# The same numbers by one query over the events as they were sent, rows and sealed ones.
RAW = {
    "error_rate by model": """SELECT (f.at AT TIME ZONE 'UTC')::date, f.model, count(*) FILTER (WHERE f.failed), count(*)
        FROM {events} WHERE f.organization_id = %s AND f.at >= %s AND f.at < %s AND f.environment <> 'test'
        AND f.name IN ('llm_response_generated', 'model_call', 'tool_call', 'retrieval') GROUP BY 1, 2""",
    "tokens_total by feature": """SELECT (f.at AT TIME ZONE 'UTC')::date, f.feature,
        sum((f.data->>'input_tokens')::bigint + (f.data->>'output_tokens')::bigint)
        FROM {events} WHERE f.organization_id = %s AND f.at >= %s AND f.at < %s AND f.environment <> 'test'
        AND f.name = 'llm_response_generated' GROUP BY 1, 2""",
    "latency_p95 by model": """SELECT (f.at AT TIME ZONE 'UTC')::date, f.model,
        percentile_disc(0.95) WITHIN GROUP (ORDER BY f.duration_us)
        FROM {events} WHERE f.organization_id = %s AND f.at >= %s AND f.at < %s AND f.environment <> 'test'
        AND f.name = 'llm_response_generated' AND NOT f.failed GROUP BY 1, 2""",
}


def day_of_events(count: int, day: datetime, words: int = 0) -> Iterator[dict[str, Any]]:
    """Sessions over one day: 5 models, 8 features, 12 prompt versions, 20 tools, 200 customers; messages and answers
    with texts of so many words."""
    dice, speaker = random.Random(4), random.Random(5)

    def text(field: str) -> dict[str, str]:
        return {field: " ".join(speaker.choices(VOCABULARY, k=words))} if words else {}

    sent = session = 0
    while sent < count:
        session += 1
        at = day + timedelta(seconds=dice.uniform(0, 82_000))
        provider, model = dice.choice(MODELS)
        base = {
            "session_id": f"s{session}",
            "user_id": f"user-{dice.randrange(USERS)}",
            "feature": f"feature-{dice.randrange(8)}",
            "customer": f"customer-{dice.randrange(200)}",
            "prompt_version": f"v{dice.randrange(12)}",
            "historical": True,
        }
        for turn in range(dice.randint(1, 4)):
            at += timedelta(seconds=dice.uniform(20, 90))
            yield {
                "event": "llm_query_sent",
                "timestamp": at.isoformat(),
                "query_length": 90,
                "frustrated": dice.random() < 0.06,
                **text("query_text"),
                **base,
            }
            latency = dice.lognormvariate(7.2, 0.5)
            tool = {
                "event": "tool_call",
                "timestamp": (at + timedelta(seconds=0.5)).isoformat(),
                "tool_name": f"tool-{dice.randrange(20)}",
                "duration_ms": round(dice.lognormvariate(5, 0.7), 2),
                "status": "ok" if dice.random() > 0.02 else "error",
                **base,
            }
            yield tool
            yield {
                "event": "llm_response_generated",
                "timestamp": (at + timedelta(seconds=1)).isoformat(),
                "response_id": f"s{session}-{turn}",
                "provider": provider,
                "model": model,
                "input_tokens": dice.randint(200, 4_000),
                "output_tokens": dice.randint(20, 600),
                "latency_ms": round(latency, 2),
                "ttft_ms": round(latency / 4, 2),
                "status": "ok" if dice.random() > 0.01 else "error",
                "cited_sentences": dice.randrange(4),
                "total_sentences": 4,
                "grounding_expected": True,
                **text("response_text"),
                **base,
            }
            sent += 3


def load_day(stack: Stack, count: int, day: datetime, words: int = 0) -> float:
    """Send one day with four connections, a progress line while it runs; returns acknowledged events a second."""
    stream = day_of_events(count, day, words)
    bodies = iter(lambda: json.dumps({"events": list(islice(stream, BATCH))}).encode(), b'{"events": []}')
    acknowledged, begun = 0, time.monotonic()

    def post(body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=120)
        while True:
            status, answer, wait_s = send(connection, stack.facts["ingest_key"], body)
            if status == 200:
                return int(json.loads(answer)["accepted"])
            if status not in (429, 503):
                raise SystemExit(f"{status} {answer[:300]!r}")
            time.sleep(wait_s or 0.1)

    with ThreadPoolExecutor(4) as pool:
        while chunk := list(islice(bodies, 8)):
            acknowledged += sum(pool.map(post, chunk))
            print(f"\r  sent {acknowledged:,} of {count:,} events", end="", file=sys.stderr)
    print(file=sys.stderr)
    if acknowledged < count:
        raise SystemExit(f"Only {acknowledged:,} of {count:,} events were accepted.")
    return acknowledged / (time.monotonic() - begun)


COPIED = (
    "events_event",
    "events_identity",
    "events_text",
    "conversations_session",
    "conversations_generation",
    "metrics_rollup",
    "metrics_rollupslots",
)


def copy_days(stack: Stack, connection: psycopg.Connection[Any], first: datetime) -> None:
    """Copy the one day of every table to the days after it; after each, seal what has come to rest by then."""
    connection.execute("CREATE SCHEMA scratch")
    for name in COPIED:
        connection.execute(f"CREATE TABLE scratch.{name} AS SELECT * FROM {name}")
    connection.execute("CREATE TABLE scratch.ids AS SELECT project_id, event_key, event_id FROM events_event")
    connection.execute("ANALYZE")
    for number in range(1, DAYS):
        with connection.transaction():
            _copy_day(connection, number)
        _seal(stack, connection, first + timedelta(days=number + 1))
        print(f"\r  day {number + 1} of {DAYS}", end="", file=sys.stderr)
    print(file=sys.stderr)
    stack.manage(
        "shell", "-c", "from apps.events.storage import compact_partitions; print(compact_partitions())"
    )
    connection.execute("DROP SCHEMA scratch CASCADE")


def _copy_day(connection: psycopg.Connection[Any], number: int) -> None:
    shift = f"interval '{number} days'"
    suffix = f"|| '-{number}'"
    new_id = f"'sha256:' || left(encode(sha256(convert_to(event_id {suffix}, 'UTF8')), 'hex'), 40)"
    connection.execute(
        "CREATE TEMP TABLE renamed ON COMMIT DROP AS SELECT event_key AS old_key, new_id, "
        f"{KEY.format(project_id='project_id', event_id='new_id')} AS new_key "
        f"FROM (SELECT *, {new_id} AS new_id FROM scratch.ids) i"
    )
    new = {
        "event_key": "new_key",
        "event_id": "new_id",
        "session_id": f"session_id {suffix}",
        "response_id": f"response_id {suffix}",
        "user_id": f"'user-' || ((substr(user_id, 6)::int + {number * 6151}) % {USERS})",
        **{
            name: f"{name} + {shift}"
            for name in ("at", "started_at", "last_event_at", "closed_at", "labelled_at")
        },
        "day": f"day + {number}",
    }
    for name in COPIED:
        columns = [
            column
            for (column,) in connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [name],
            )
        ]
        chosen = ", ".join(new.get(column, column) for column in columns)
        renamed = " JOIN renamed ON old_key = event_key" if "event_key" in columns else ""
        # As they would have come.
        order = next(one for one in ("at", "started_at", "day") if one in columns)
        connection.execute(
            f"INSERT INTO {name} ({', '.join(columns)}) SELECT {chosen} FROM scratch.{name}{renamed} ORDER BY {order}"
        )


def _seal(stack: Stack, connection: psycopg.Connection[Any], now: datetime) -> None:
    """What beat and autovacuum do in the course of a day."""
    (organization,) = connection.execute(
        "SELECT max(organization_id) FROM conversations_session"
    ).fetchone() or (0,)
    connection.execute("VACUUM (ANALYZE) events_event")
    stack.manage(
        "shell",
        "-c",
        "from datetime import datetime; from apps.conversations.sealing import seal_organization\n"
        f"while seal_organization({organization}, datetime.fromisoformat('{now.isoformat()}')): pass",
    )
    connection.execute("VACUUM (ANALYZE) events_event")


def count_users(stack: Stack, connection: psycopg.Connection[Any], first: datetime) -> float:
    """Sets of active users can not be shifted like sums: those of the copied days are counted anew; in seconds."""
    (organization,) = connection.execute(
        "SELECT organization_id FROM metrics_rollupstate ORDER BY organization_id DESC LIMIT 1"
    ).fetchone() or (0,)
    begun = time.monotonic()
    for number in range(1, DAYS):
        day = (first + timedelta(days=number)).date()
        stack.manage(
            "shell",
            "-c",
            "from datetime import date; from apps.core.tenancy import tenant; from apps.metrics.rollups import sets\n"
            f"with tenant({organization}): sets.recount([date.fromisoformat('{day}')])",
        )
        print(f"\r  users of day {number + 1} of {DAYS}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return time.monotonic() - begun


def sizes(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Bytes with indexes, by what they hold."""
    groups = {
        "events": "events_event%",
        "sealed events": "events_seal%",
        "ids": "events_identity",
        "texts": "events_text",
        "facts": "conversations_%",
        "rollups": "metrics_%",
    }
    found = {}
    for name, pattern in groups.items():
        (size,) = connection.execute(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c "
            "WHERE c.relkind = 'r' AND c.relname LIKE %s",
            [pattern],
        ).fetchone() or (0,)
        found[name] = int(size)
    return found


def timed(action: Callable[[], Any], times: int) -> list[float]:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        took.append((time.perf_counter() - begun) * 1000)
    return took


def ask_first(stack: Stack, connection: psycopg.Connection[Any], span: str) -> list[tuple[str, float]]:
    """Several dimensions at once when nobody has asked before, slowest answer and time to be followed, in ms."""
    begun = time.perf_counter()
    took = [
        timed(lambda key=key, by=by: stack.get(f"/api/v1/metrics/{key}?interval=day&group_by={by}{span}"), 1)[
            0
        ]
        for key, by in SEVERAL
    ]
    unbuilt = "SELECT count(*) FROM metrics_combination WHERE built_to <> 'infinity' AND NOT is_too_fine"
    while (connection.execute(unbuilt).fetchone() or (0,))[0]:
        time.sleep(0.1)
    followed = (time.perf_counter() - begun) * 1000 - sum(took)
    return [("two or three dimensions, first time", max(took)), ("until all three are followed", followed)]


def answers(stack: Stack, span: str, times: int) -> list[tuple[str, float]]:
    """(question, p95 in ms over HTTP), each question asked several times."""
    kinds: list[tuple[str, list[str]]] = [
        ("one dimension", [f"{key}?interval=day&group_by={by}" for key, by in ONE_DIMENSION]),
        ("percentiles", [f"{key}?interval=day&group_by={by}" for key, by in PERCENTILES]),
        ("distinct users", [f"{key}?interval=day&group_by={by}" for key, by in PEOPLE]),
        ("rolling distinct users", [f"{key}?interval=day&group_by={by}" for key, by in WINDOWS]),
        ("twelve metrics", [f"query?metrics={TWELVE}&interval=day"]),
        ("two or three dimensions", [f"{key}?interval=day&group_by={by}" for key, by in SEVERAL]),
    ]
    found = []
    for kind, paths in kinds:
        took: list[float] = []
        for path in paths:
            try:
                stack.get(f"/api/v1/metrics/{path}{span}")
                took += timed(lambda path=path: stack.get(f"/api/v1/metrics/{path}{span}"), times)
            except TimeoutError:
                took.append(TIMEOUT_MS)
        found.append((kind, percentile(took, 0.95)))
        print(f"  {kind}: {found[-1][1]:.0f} ms, median {percentile(took, 0.5):.0f}", file=sys.stderr)
    return found


def digest_cost(
    stack: Stack, connection: psycopg.Connection[Any], number: int, at: datetime, session: str
) -> float:
    """Seconds a thousand events from release to done, of `LATE_EVENTS` whose digest was held."""
    events = [
        {
            **event,
            "session_id": session.format(number=number, name=event["session_id"]),
            "release": f"r{number}",
        }
        for event in islice(day_of_events(LATE_EVENTS, at), LATE_EVENTS)
    ]
    for event in events:
        event.pop("response_id", None)
    hold(stack, 19)
    link = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    for start in range(0, LATE_EVENTS, BATCH):
        body = json.dumps({"events": events[start : start + BATCH]}).encode()
        status, answer, _ = send(link, stack.facts["ingest_key"], body)
        if status != 200:
            raise SystemExit(f"{status} {answer[:300]!r}")
    begun = time.monotonic()
    hold(stack, 18)
    pending = "SELECT 1 FROM events_batch WHERE digested_at IS NULL LIMIT 1"
    while connection.execute(pending).fetchone():
        time.sleep(0.005)
    return (time.monotonic() - begun) / (LATE_EVENTS / 1_000)


def digest_costs(
    stack: Stack, connection: psycopg.Connection[Any], midnight: datetime
) -> list[tuple[str, float]]:
    """The middle of five rounds of each kind, in turn; in seconds a thousand events."""
    late = midnight - timedelta(days=LATE_AGE_DAYS)
    kinds = {
        "digest of 1,000 events": (midnight - timedelta(days=1), "new-{number}-{name}"),
        f"1,000 events {LATE_AGE_DAYS} days late": (late, "late-{number}-{name}"),
        # Sessions that were sealed.
        "the same into sessions that were there": (late, "{name}-" + str(DAYS - LATE_AGE_DAYS)),
    }
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(5):
        for name, (at, session) in kinds.items():
            took[name].append(digest_cost(stack, connection, number, at, session))
    return [(name, sorted(found)[2]) for name, found in took.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--words", type=int, default=0, help="Words of every message and answer.")
    parser.add_argument("--times", type=int, default=20, help="How often each question is asked.")
    options = parser.parse_args()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS)
    span = f"&from={first.date()}&to={midnight.date()}"
    with running_stack(EVENTS_PER_SECOND="1000000") as stack:
        rate = load_day(stack, options.events // DAYS, first, options.words)
        stack.wait_until_digested(900)
        with psycopg.connect(stack.superuser_url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            begun = time.monotonic()
            copy_days(stack, connection, first)
            copied_s = time.monotonic() - begun
            connection.execute("VACUUM (ANALYZE)")
            counted_s = count_users(stack, connection, first)
            connection.execute("VACUUM (ANALYZE)")
            (stored, sealed) = connection.execute(
                "SELECT (SELECT count(*) FROM events_event) + sum(n), sum(n) FROM events_sealed"
            ).fetchone() or (0, 0)
            (organization,) = connection.execute(
                "SELECT organization_id FROM conversations_session LIMIT 1"
            ).fetchone() or (0,)
            held = sizes(connection)
            rows = [
                ("events", f"{stored:,}, sent at {rate:,.0f}/s"),
                *((name, f"{size / stored:.0f} bytes an event") for name, size in held.items()),
                ("in all", f"{sum(held.values()) / stored:.0f} bytes an event"),
                (
                    "sealed",
                    f"{sealed / stored:.1%} of the events, {held['sealed events'] / sealed:.0f} bytes each",
                ),
                ("29 days copied and sealed", f"{copied_s:.0f} s"),
                ("users of 29 days counted anew", f"{counted_s:.0f} s"),
                (
                    "rollups ÷ events",
                    f"{held['rollups'] / (held['events'] + held['sealed events'] + held['ids']):.1%}",
                ),
            ]
            rows += [(kind, f"{took:,.0f} ms") for kind, took in ask_first(stack, connection, span)]
            connection.execute("VACUUM (ANALYZE) metrics_rollup, metrics_rollupslots")
            rows += [(kind, f"p95 {took:.0f} ms") for kind, took in answers(stack, span, options.times)]
            for name, sql in RAW.items():
                sql = sql.replace("{events}", EVENT.rows(sql))
                bounds = [organization, first, midnight]
                took = min(
                    timed(lambda sql=sql, bounds=bounds: connection.execute(sql, bounds).fetchall(), 2)
                )
                rows.append((f"raw SQL: {name}", f"{took:,.0f} ms"))
            rows += [
                (name, f"{took * 1000:.0f} ms") for name, took in digest_costs(stack, connection, midnight)
            ]
    table(f"Scale: {options.events:,} events over {DAYS} days", rows)


if __name__ == "__main__":
    main()
