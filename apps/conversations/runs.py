"""Agent runs: what each root run called, how deep and how wide."""

from __future__ import annotations

from collections import Counter
from typing import Any

from apps.conversations.findings import DIMENSIONS
from apps.conversations.rows import EventRow

AGENT_RUN = "agent_run"
# Deeper chains are cycles of parents, or not worth telling apart.
DEEPEST = 1000


def run_rows(events: list[EventRow], session_id: str | None) -> list[dict[str, Any]]:
    """The root runs of a session (or of one trace without a session); `events` are in order.

    An inner run belongs to the root of its trace, else to the latest root at or before it, else to
    the first one. Its depth is what was sent, else one more than its parent's.
    """
    runs = [event for event in events if event.name == AGENT_RUN]
    roots = [run for run in runs if run.is_root]
    if not roots:
        return []
    members: dict[str, list[EventRow]] = {root.event_key: [root] for root in roots}
    for run in runs:
        if not run.is_root:
            members[_root_of(run, roots).event_key].append(run)
    by_span = {str(run.data["span_id"]): run for run in runs if run.data.get("span_id")}
    return [_row(root, members[root.event_key], by_span, session_id) for root in roots]


def _root_of(run: EventRow, roots: list[EventRow]) -> EventRow:
    same_trace = [root for root in roots if run.trace_id and root.trace_id == run.trace_id]
    candidates = same_trace or roots
    earlier = [root for root in candidates if root.at <= run.at]
    return earlier[-1] if earlier else candidates[0]


def _row(
    root: EventRow, members: list[EventRow], by_span: dict[str, EventRow], session_id: str | None
) -> dict[str, Any]:
    depths = {run.event_key: _depth(run, by_span) for run in members}
    children = Counter(run.data.get("parent_id") for run in members if run.data.get("parent_id"))
    second = sum(depths[run.event_key] == depths[root.event_key] + 1 for run in members)
    return {
        "project_id": root.project_id,
        "event_key": root.event_key,
        "session_id": session_id,
        "at": root.at,
        "invocations": len(members),
        "nesting_depth": max(depths.values()),
        "fan_out": max(second, *children.values()) if children else second,
        **{dimension: getattr(root, dimension) for dimension in DIMENSIONS},
    }


def _depth(run: EventRow, by_span: dict[str, EventRow]) -> int:
    """1 for a root; a parent that was not sent counts as a root."""
    steps = 0
    while run.depth is None and not run.is_root and steps < DEEPEST:
        steps += 1
        parent = by_span.get(str(run.data.get("parent_id")))
        if parent is None:
            return steps + 1
        run = parent
    return steps + (run.depth if run.depth is not None else 1)
