"""Acknowledged events per second over HTTP, beside a bare COPY of the same rows in the same run.

The whole stack runs, the digest included; the load generator is a process on the same machine.
"""

from __future__ import annotations

import argparse
import signal
import time
from typing import Any

import psycopg
from harness import Stack, hold, running_stack, table
from workload import generate_apart

UNLIMITED = "1000000"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--hold-digest", action="store_true", help="Stop worker and beat meanwhile.")
    options = parser.parse_args()
    with running_stack(EVENTS_PER_SECOND=UNLIMITED) as stack:
        load: dict[str, Any] = {"size": options.batch, "port": stack.port, "key": stack.facts["ingest_key"]}
        generate_apart(run="warm", count=options.batch * 20, connections=options.connections, **load)
        stack.wait_until_digested()
        if options.hold_digest:
            hold(stack, signal.SIGSTOP)
        told = generate_apart(run="ingest", count=options.events, connections=options.connections, **load)
        if options.hold_digest:
            hold(stack, signal.SIGCONT)
        begun = time.monotonic()
        stack.wait_until_digested()
        drained_s = time.monotonic() - begun
        copied, copy_s = copy_into_twin(stack)
    rate, copy_rate = told["acknowledged"] / told["seconds"], copied / copy_s
    table(
        f"Ingest: batches of {options.batch} events without text, {options.connections} connections",
        [
            ("acknowledged", f"{told['acknowledged']:,.0f} events in {told['seconds']:.1f} s"),
            ("ingest", f"{rate:,.0f} events/s"),
            ("slowest request", f"{told['slowest_s'] * 1000:,.0f} ms"),
            ("refused with 429", f"{told['refused']:,.0f}"),
            ("digested afterwards in", f"{drained_s:.1f} s"),
            ("bare COPY", f"{copy_rate:,.0f} rows/s ({copied:,} rows in {copy_s:.2f} s)"),
            ("ratio", f"{rate / copy_rate:.2f}"),
        ],
    )


def copy_into_twin(stack: Stack) -> tuple[int, float]:
    """COPY the stored rows, as a superuser, into an empty table with the same partitions and indexes."""
    with psycopg.connect(stack.superuser_url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(TWIN)
        with cursor.copy("COPY (SELECT * FROM events_event) TO STDOUT") as source:
            rows = b"".join(bytes(part) for part in source)
        begun = time.monotonic()
        with cursor.copy("COPY benchmark_twin FROM STDIN") as target:
            for start in range(0, len(rows), 256 * 1024):
                target.write(rows[start : start + 256 * 1024])
        seconds = time.monotonic() - begun
        cursor.execute("SELECT count(*) FROM benchmark_twin")
        (count,) = cursor.fetchone() or (0,)
    return int(count), seconds


if __name__ == "__main__":
    main()
