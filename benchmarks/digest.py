"""A backlog is built while the worker is stopped, then drained with ingest stopped: events per second."""

from __future__ import annotations

import argparse
import signal
import time

from harness import hold, running_stack, table, wait_for
from workload import generate_apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--words", type=int, default=0, help="Words of every message and response.")
    options = parser.parse_args()
    with running_stack(EVENTS_PER_SECOND="1000000") as stack:
        hold(stack, signal.SIGSTOP)
        try:
            told = generate_apart(
                run="digest",
                count=options.events,
                size=500,
                connections=4,
                port=stack.port,
                key=stack.facts["ingest_key"],
                words=options.words,
            )
            pending = stack.get("/api/v1/freshness")["pending_batches"]
        finally:
            hold(stack, signal.SIGCONT)
        begun = time.monotonic()
        wait_for(
            lambda: stack.get("/api/v1/freshness")["pending_batches"] < pending,
            60,
            "the worker",
            interval=0.05,
        )
        first_s = time.monotonic() - begun
        stack.wait_until_digested(600)
        seconds = time.monotonic() - begun
        sessions = stack.get("/api/v1/metrics/sessions?interval=total")["points"][0]["value"]
    table(
        "Digest: one organisation's backlog, ingest stopped",
        [
            ("backlog", f"{told['acknowledged']:,.0f} events in {pending:,} batches, {sessions:,} sessions"),
            ("first round after", f"{first_s:.1f} s"),
            ("drained in", f"{seconds:.1f} s"),
            ("digest", f"{told['acknowledged'] / seconds:,.0f} events/s"),
        ],
    )


if __name__ == "__main__":
    main()
