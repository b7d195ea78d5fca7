"""Acknowledged events per second over HTTP, beside a bare COPY of the same rows in the same run.

The whole stack runs, the digest included; the load generator is a process on the same machine.
"""

from __future__ import annotations

import argparse
import signal
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from harness import Stack, hold, running_stack, table
from workload import generate_apart

UNLIMITED = "1000000"
PART_BYTES = 256 * 1024
TWIN = """
CREATE TABLE benchmark_twin (LIKE events_event INCLUDING ALL) PARTITION BY RANGE (at);
DO $$ DECLARE child record; BEGIN
    FOR child IN SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = 'events_event'::regclass LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF benchmark_twin %s', 'twin_' || child.name, child.bounds);
    END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Round:
    """Rates of one round, taken one after the other so that both see the same machine."""

    ingest_per_s: float
    copy_per_s: float
    slowest_ms: float
    drained_s: float

    @property
    def ratio(self) -> float:
        return self.ingest_per_s / self.copy_per_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000, help="Events of each round.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument(
        "--hold-digest", action="store_true", help="Stop worker and beat while events come in."
    )
    parser.add_argument("--words", type=int, default=0, help="Words of every message and response.")
    options = parser.parse_args()
    with running_stack(EVENTS_PER_SECOND=UNLIMITED) as stack:
        load: dict[str, Any] = {
            "size": options.batch,
            "connections": options.connections,
            "port": stack.port,
            "key": stack.facts["ingest_key"],
            "words": options.words,
        }
        generate_apart(run="warm", count=options.batch * 20, **load)
        stack.wait_until_digested()
        with psycopg.connect(stack.superuser_url, autocommit=True) as connection:
            connection.execute(TWIN)
            rounds = [
                one_round(stack, connection, {**load, "run": f"r{number}", "count": options.events}, options)
                for number in range(options.rounds)
            ]
    middle = sorted(rounds, key=lambda one: one.ratio)[len(rounds) // 2]
    digest = "stopped meanwhile" if options.hold_digest else "running meanwhile"
    kind = f"with texts of {options.words} words" if options.words else "without text"
    table(
        f"Ingest: batches of {options.batch} events {kind}, {options.connections} connections, digest {digest}",
        [
            *((f"round {number}", told(one)) for number, one in enumerate(rounds, 1)),
            ("median round", told(middle)),
            ("slowest request", f"{max(one.slowest_ms for one in rounds):,.0f} ms"),
            ("digested afterwards in", f"{max(one.drained_s for one in rounds):.1f} s at most"),
        ],
    )


def told(one: Round) -> str:
    return (
        f"{one.ingest_per_s:,.0f} events/s   bare COPY {one.copy_per_s:,.0f} rows/s   ratio {one.ratio:.2f}"
    )


def one_round(
    stack: Stack, connection: psycopg.Connection[Any], load: dict[str, Any], options: argparse.Namespace
) -> Round:
    """Events over HTTP, then at once their rows by COPY with the digest held; then let it catch up."""
    (before,) = connection.execute("SELECT max(id) FROM events_batch").fetchone() or (0,)
    if options.hold_digest:
        hold(stack, signal.SIGSTOP)
    sent = generate_apart(**load)
    hold(stack, signal.SIGSTOP)
    try:
        copied, copy_s = copy_into_twin(connection, before)
    finally:
        hold(stack, signal.SIGCONT)
    begun = time.monotonic()
    stack.wait_until_digested()
    return Round(
        ingest_per_s=sent["acknowledged"] / sent["seconds"],
        copy_per_s=copied / copy_s,
        slowest_ms=sent["slowest_s"] * 1000,
        drained_s=time.monotonic() - begun,
    )


def copy_into_twin(connection: psycopg.Connection[Any], after_batch: int) -> tuple[int, float]:
    """COPY the rows of later batches, as a superuser, into an empty table with the same partitions and indexes."""
    connection.execute("TRUNCATE benchmark_twin")
    with connection.cursor() as cursor:
        rows_of = f"COPY (SELECT * FROM events_event WHERE batch_id > {after_batch:d}) TO STDOUT"
        with cursor.copy(rows_of) as source:
            rows = b"".join(bytes(part) for part in source)
        begun = time.monotonic()
        with cursor.copy("COPY benchmark_twin FROM STDIN") as target:
            for start in range(0, len(rows), PART_BYTES):
                target.write(rows[start : start + PART_BYTES])
        return cursor.rowcount, time.monotonic() - begun


if __name__ == "__main__":
    main()
