"""A thousand small organisations with a thousand events each: bytes an event, and what an idle beat round costs."""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice

import psycopg
from harness import Stack, running_stack, table
from scale import sizes
from workload import events, send

MAKE = """
import json, sys
from apps.accounts.models import User
from apps.accounts.provision import create_organization
owner = User.objects.create_user("tenants@example.com")
made = [create_organization(name=f"Tenant {n}", owner=owner, keys=("ingest_key",)) for n in range(int(sys.argv[-1]))]
print(json.dumps([one.keys["ingest_key"] for one in made]))
"""
IDLE = """
import json, time
from apps.conversations.tasks import organizations_with_pending_work
from apps.metrics.rollups.keep import stale_organizations
took = []
for _ in range(30):
    begun = time.perf_counter()
    assert organizations_with_pending_work() == [] and stale_organizations() == []
    took.append((time.perf_counter() - begun) * 1000)
print(json.dumps(took))
"""


def run_inside(stack: Stack, code: str, *arguments: str) -> list[float | str]:
    """The list that Python prints inside the application's settings."""
    setup = f"import django, sys; sys.argv[1:] = {list(arguments)!r}; django.setup()\n{code}"
    return list(json.loads(stack.manage("shell", "--no-imports", "--command", setup).splitlines()[-1]))


def fill(stack: Stack, number: int, key: str, count: int) -> None:
    stream = events(f"t{number}", count, datetime.now(UTC) - timedelta(hours=6))
    link = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=120)
    body = json.dumps({"events": list(islice(stream, count))}).encode()
    status, answer, _ = send(link, key, body)
    if status != 200 or json.loads(answer)["accepted"] != count:
        raise SystemExit(f"{status} {answer[:300]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=1_000)
    options = parser.parse_args()
    with running_stack(EVENTS_PER_SECOND="1000000") as stack:
        keys = run_inside(stack, MAKE, str(options.organizations))
        begun = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            done = pool.map(lambda pair: fill(stack, pair[0], str(pair[1]), options.events), enumerate(keys))
            for number, _ in enumerate(done, 1):
                print(f"\r  organisation {number:,} of {options.organizations:,}", end="", file=sys.stderr)
        print(file=sys.stderr)
        with psycopg.connect(stack.superuser_url, autocommit=True) as connection:
            pending = "SELECT count(*) FROM events_batch WHERE state = 'pending'"
            while (connection.execute(pending).fetchone() or (0,))[0]:
                time.sleep(0.2)
            seconds = time.monotonic() - begun
            connection.execute("VACUUM (ANALYZE)")
            (stored,) = connection.execute("SELECT count(*) FROM events_event").fetchone() or (0,)
            held = sizes(connection)
        idle = sorted(float(one) for one in run_inside(stack, IDLE))
    table(
        f"{options.organizations:,} organisations with {options.events:,} events each",
        [
            ("sent and digested", f"{stored / seconds:,.0f} events/s"),
            *((name, f"{size / stored:.0f} bytes an event") for name, size in held.items()),
            ("in all", f"{sum(held.values()) / stored:.0f} bytes an event"),
            ("idle beat round", f"median {statistics.median(idle):.1f} ms, slowest {idle[-1]:.1f} ms"),
        ],
    )


if __name__ == "__main__":
    main()
