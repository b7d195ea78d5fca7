"""Memory of the whole idle stack: every process from `up` down, the databases included."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from harness import Stack, children_of, running_stack, table
from workload import generate_apart

MIB = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="Rest before measuring.")
    options = parser.parse_args()
    with running_stack() as stack:
        generate_apart(
            run="memory",
            count=20_000,
            size=500,
            connections=4,
            port=stack.port,
            key=stack.facts["ingest_key"],
        )
        stack.wait_until_digested()
        stack.get("/api/v1/metrics/query?metrics=sessions,cost_total,latency_p95&interval=day")
        time.sleep(options.seconds)
        sizes = measure(stack)
    rows = [
        (name, f"{pss / MIB:7.0f} MiB PSS  {rss / MIB:7.0f} MiB RSS") for name, (pss, rss) in sizes.items()
    ]
    whole = sum(pss for pss, _ in sizes.values()), sum(rss for _, rss in sizes.values())
    rows.append(("whole stack", f"{whole[0] / MIB:7.0f} MiB PSS  {whole[1] / MIB:7.0f} MiB RSS"))
    table(f"Idle memory after {options.seconds:.0f} s of rest (PSS counts shared pages once)", rows)


def measure(stack: Stack) -> dict[str, tuple[int, int]]:
    """KiB of PSS and RSS by supervised process, its descendants included."""
    sizes = {"up": sizes_of(stack.process.pid)}
    for name, pid in stack.pids.items():
        parts = [sizes_of(one) for one in (pid, *descendants(pid))]
        sizes[name] = sum(pss for pss, _ in parts), sum(rss for _, rss in parts)
    return sizes


def descendants(pid: int) -> list[int]:
    return [one for child in children_of(pid) for one in (child, *descendants(child))]


def sizes_of(pid: int) -> tuple[int, int]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except FileNotFoundError:
        return 0, 0
    values = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return values["Pss"], values["Rss"]


if __name__ == "__main__":
    main()
