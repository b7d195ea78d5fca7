"""Settling what a round touched: derived sessions anew, each session with its neighbours, then what is loose.

Everything that a round changes is loaded set-wise, settled in memory and replaced set-wise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from apps.accounts.models import Organization, Project
from apps.conversations import load, neighbours, packs, write
from apps.conversations.calibration import model_in_force
from apps.conversations.findings import finding_rows
from apps.conversations.generations import generation_rows
from apps.conversations.load import Touched
from apps.conversations.people import assign
from apps.conversations.ratings import attach
from apps.conversations.rows import RESPONSE, EventRow, Key
from apps.conversations.runs import run_rows
from apps.conversations.settle import Neighbours, Outline, outline, settle
from apps.conversations.write import Facts
from apps.pricing.book import PriceBook
from apps.reading.frustration import Model

SESSIONS_A_STEP = 4_000


@dataclass(frozen=True)
class Terms:
    """What holds for everything that is settled in one transaction, loaded once."""

    projects: dict[int, Project]
    return_window: timedelta
    book: PriceBook
    detector: Model

    @classmethod
    def load(cls) -> Self:
        """The terms of the active organisation."""
        hours = Organization.objects.values_list("return_window_hours", flat=True).get()
        projects = {project.pk: project for project in Project.objects.all()}
        return cls(projects, timedelta(hours=hours), PriceBook.load(), model_in_force())

    def idle_gap(self, project_id: int) -> timedelta:
        return timedelta(minutes=self.projects[project_id].idle_gap_minutes)


def settle_touched(touched: Touched, homes: set[Key], loose: list[EventRow], gone: list[EventRow]) -> None:
    """Replace the facts of everything that the touched events may have changed."""
    terms = Terms.load()
    moved = reassign(touched, terms)
    # A reaction may have been assigned a session of its own before its response arrived.
    homes = homes | load.homes_of_responses(touched.targets) if moved else homes
    settle_sessions(sorted(touched.sessions | moved | homes), terms)
    settle_loose(loose, terms, gone)


def reassign(touched: Touched, terms: Terms) -> set[Key]:
    """Derive sessions anew for people with events without one; returns the sessions this changed."""
    people = touched.loners | load.people_with_assignments(touched.people - touched.loners)
    if not people or touched.first_at is None:
        return set()
    longest = max(terms.idle_gap(project_id) for project_id in terms.projects)
    events = load.events_of_people(people, touched.first_at - longest)
    changed: set[Key] = set()
    stale: list[str] = []
    rows: list[Mapping[str, Any]] = []
    for (project_id, user_id), pairs in events.items():
        assigned = assign(pairs, user_id, terms.idle_gap(project_id), touched.first_at)
        for event, present in pairs:
            new = assigned.get(event.event_key)
            if new is None:
                continue
            changed.add((project_id, new))
            if new == present:
                continue
            if present is not None:
                changed.add((project_id, present))
                stale.append(event.event_key)
            rows.append(
                {
                    "event_key": event.event_key,
                    "project_id": project_id,
                    "user_id": user_id,
                    "session_id": new,
                }
            )
    write.replace_assignments(stale, rows)
    return changed


def settle_sessions(keys: list[Key], terms: Terms) -> None:
    """Settle sessions, then those neighbours whose fate they changed."""
    for start in range(0, len(keys), SESSIONS_A_STEP):
        step = keys[start : start + SESSIONS_A_STEP]
        others = _settle_step(step, terms)
        if others:
            _settle_step(others, terms)


def _settle_step(keys: list[Key], terms: Terms) -> list[Key]:
    """Settle these sessions; returns stored neighbours whose return or take-back must change."""
    events = load.events_of_sessions(keys)
    outlines: dict[Key, Outline] = {}
    for key, rows in events.items():
        one = outline(key[0], key[1], rows, terms.idle_gap(key[0]))
        if one is not None:
            outlines[key] = one
    fates, others = _fates(keys, outlines, terms.return_window)
    facts = Facts()
    for key, rows in events.items():
        _settle_one(key, rows, outlines.get(key), fates.get(key, Neighbours()), terms, facts)
    kept = {key: (one.started_at, one.last_event_at) for key, one in outlines.items()}
    packs.unseal_narrowed({key: kept.get(key) for key in keys})
    write.replace_sessions(keys, facts)
    return others


def _settle_one(
    key: Key, rows: list[EventRow], one: Outline | None, fate: Neighbours, terms: Terms, facts: Facts
) -> None:
    """Add the facts of one session; its own row only where the session exists."""
    session_id = key[1]
    facts.findings += finding_rows(rows, session_id)
    facts.runs += run_rows(rows, session_id)
    settled = settle(one, fate, terms.detector) if one is not None else None
    calls = generation_rows(
        rows,
        session_id=session_id,
        user_id=one.user_id if one else None,
        reactions=settled.reactions if settled else {},
        labels=settled.labels if settled else {},
        closed_at=one.closed_at if one else None,
        project_expects_grounding=terms.projects[key[0]].grounding_expected,
        book=terms.book,
    )
    facts.generations += calls
    if settled is not None:
        costs = [call["cost_nano"] for call in calls if call["cost_nano"] is not None]
        settled.row["cost_nano"] = sum(costs) if costs else None
        facts.sessions.append(settled.row)


def _fates(
    keys: Iterable[Key], outlines: dict[Key, Outline], window: timedelta
) -> tuple[dict[Key, Neighbours], list[Key]]:
    """Returns and take-backs of these sessions, and the stored neighbours for whom theirs changed."""
    settled_keys = set(keys)
    fresh = [mark for mark in map(neighbours.mark_of, outlines.values()) if mark is not None]
    before = neighbours.stored_marks(settled_keys)
    around = [
        mark for mark in neighbours.marks_around([*fresh, *before], window) if mark.key not in settled_keys
    ]
    judged = neighbours.judge([*fresh, *around], window)
    return dict(judged), neighbours.changed([*fresh, *before], around, judged, window)


def settle_loose(loose: list[EventRow], terms: Terms, gone: list[EventRow]) -> None:
    """Facts of events with neither session nor user: one trace, or one event, at a time.

    `gone` are events that were removed; what is left of their traces is settled anew.
    """
    traces = {(row.project_id, row.trace_id) for row in [*loose, *gone] if row.trace_id}
    groups: dict[Key, dict[str, EventRow]] = defaultdict(dict)
    for row in [*loose, *load.loose_events_of_traces(traces)]:
        groups[(row.project_id, row.trace_id or f"event:{row.event_key}")][row.event_key] = row
    keys = [row.event_key for row in gone] + [key for events in groups.values() for key in events]
    if groups:
        load.bring_reactions(groups, load.first_row_at())
    facts = Facts()
    for (project_id, _), events in groups.items():
        rows = sorted(events.values(), key=lambda row: row.order)
        facts.findings += finding_rows(rows, None)
        facts.runs += run_rows(rows, None)
        facts.generations += generation_rows(
            rows,
            session_id=None,
            user_id=None,
            reactions=attach(rows, [row for row in rows if row.name == RESPONSE]),
            labels={},
            closed_at=None,
            project_expects_grounding=terms.projects[project_id].grounding_expected,
            book=terms.book,
        )
    keys += [row["event_key"] for row in facts.findings]
    if keys:
        write.replace_loose(keys, facts, [row.event_key for row in gone])
