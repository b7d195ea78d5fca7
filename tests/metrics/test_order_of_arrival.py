"""Any order and any split of the same events gives the same tables, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Organization
from apps.conversations.digest import FACTS
from apps.conversations.rebuild import rebuild
from apps.core.tenancy import tenant
from apps.events.ledger import withdraw
from tests.conftest import Sender, query, response

TABLES = (*(f"conversations_{name}" for name in FACTS), "metrics_rollup", "metrics_rollupslots")


def traffic(seed: int, now: datetime) -> list[dict[str, Any]]:
    """Sessions with everything that makes settling hard, a fixed id on every event."""
    dice = random.Random(seed)
    events: list[dict[str, Any]] = []
    for session in range(14):
        at = now - timedelta(hours=dice.uniform(0, 60))
        user = f"user-{dice.randint(0, 4)}"
        name = None if dice.random() < 0.3 else f"session-{session}"
        for turn in range(dice.randint(1, 5)):
            at += timedelta(minutes=dice.choice([1, 5, 29, 30, 31]))
            events.append(query(at, name, user_id=user, frustrated=dice.choice([True, False, None])))  # type: ignore[arg-type]
            at += timedelta(seconds=dice.choice([0, 3]))
            reply = f"r-{session}-{turn}"
            events.append(
                response(
                    at,
                    name,
                    user_id=user,
                    response_id=reply,
                    model=dice.choice(["gpt-4o", "gpt-4o-mini"]),  # type: ignore[arg-type]
                    input_tokens=dice.randint(1, 999),
                    output_tokens=dice.randint(1, 99),
                )
            )
            events += about_the_answer(dice, at, reply, name, user)
            if dice.random() < 0.3:
                kind = dice.choice(["thumbs_up", "thumbs_down"])
                rated = (at + timedelta(minutes=1)).isoformat()
                events.append(
                    {
                        "event": "response_feedback",
                        "timestamp": rated,
                        "response_id": reply,
                        "feedback_type": kind,
                    }
                )
        if dice.random() < 0.3:
            events.append(
                {
                    "event": "handoff",
                    "timestamp": at.isoformat(),
                    "target": "human",
                    "session_id": name,
                    "user_id": user,
                }
            )
        if dice.random() < 0.3:
            events.append(
                {
                    "event": "session_ended",
                    "timestamp": at.isoformat(),
                    "session_id": name,
                    "user_id": user,
                    "outcome": dice.choice(["resolved", "escalated"]),
                }
            )
    for number, event in enumerate(events):
        event["id"] = f"e{number}"
    return [{key: value for key, value in event.items() if value is not None} for event in events]


def about_the_answer(
    dice: random.Random, at: datetime, reply: str, session: str | None, user: str
) -> list[dict[str, Any]]:
    """What is said about an answer with and without naming it, and agents at work beside it."""
    later = (at + timedelta(seconds=dice.choice([1, 90]))).isoformat()
    named = {"timestamp": later, "response_id": reply}
    inside = {"timestamp": later, "session_id": session, "user_id": user}
    found: list[dict[str, Any]] = [
        {"event": "evaluation", "name": "accuracy", "value": dice.random(), **named},
        {"event": "evaluation", "name": "relevance", "value": dice.random(), "source": "judge", **inside},
        {"event": "guardrail", "category": "toxicity", **named},
        {"event": "guardrail", "category": "pii", **inside},
        {"event": "response_copied", **named},
        {"event": "goal_completed", "name": "paid", **inside},
        {"event": "agent_run", "agent_name": "planner", "span_id": reply, **inside},
        {"event": "agent_run", "agent_name": "worker", "parent_id": reply, **inside},
    ]
    alone = {**response(at, response_id=f"alone-{reply}"), "input_tokens": 5, "trace_id": f"t-{reply}"}
    del alone["session_id"]
    found += [alone, {"event": "evaluation", "name": "accuracy", "value": 1, "timestamp": later}]
    found[-1]["response_id"] = f"alone-{reply}"
    return [one for one in found if dice.random() < 0.4]


def tables(organization_id: int) -> dict[str, list[str]]:
    """Every fact as JSON without ids that differ from organisation to organisation."""
    found: dict[str, list[str]] = {}
    with tenant(organization_id), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT (to_jsonb(t) - 'organization_id' - 'project_id' - 'event_key' - 'about_key')::text FROM {table} t "
                "WHERE organization_id = %s",
                [organization_id],
            )
            found[table] = sorted(text for (text,) in cursor.fetchall())
    return found


def normalized(found: dict[str, list[str]], project_id: int) -> dict[str, list[str]]:
    """Derived session ids contain the project; only their number is compared."""
    import re

    return {
        table: sorted(re.sub(r"derived-[0-9a-f]{32}", "derived", row) for row in rows)
        for table, rows in found.items()
    }


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_split_gives_the_same_tables(
    seed: int, make_organization: Callable[..., Any], now: datetime
) -> None:
    events = traffic(seed, now)
    answers = []
    for number in range(3):
        made = make_organization()
        sender = Sender(made, now)
        dice = random.Random(f"{seed}-{number}")
        shuffled = [*events]
        if number:
            dice.shuffle(shuffled)
        size = len(events) if number == 0 else dice.choice([1, 3, 7])
        for start in range(0, len(shuffled), size):
            sender.send(*shuffled[start : start + size])
            if dice.random() < 0.7:
                sender.digest()
            if dice.random() < 0.2:
                sender.send(*shuffled[start : start + size])
        sender.digest()
        answers.append(normalized(tables(made.organization.id), made.project.id))
    assert answers[0] == answers[1] == answers[2]


def test_a_rebuild_from_events_changes_nothing(organization: Any, now: datetime) -> None:
    sender = Sender(organization, now)
    events = traffic(99, now)
    for start in range(0, len(events), 5):
        sender.send(*events[start : start + 5])
        sender.digest()
    before = tables(organization.organization.id)
    with tenant(organization.organization.id):
        assert Organization.objects.get()
        rebuild()
    assert tables(organization.organization.id) == before


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_withdrawing_a_batch_leaves_the_tables_of_the_others(
    seed: int, sender: Sender, now: datetime
) -> None:
    events = traffic(seed, now)
    sender.send(*events[::2])
    sender.digest()
    before = tables(sender.provisioned.organization.id)
    batch = sender.send(*events[1::2])
    sender.digest()
    with tenant(sender.provisioned.organization.id):
        withdraw(batch.batch_id)
    sender.digest()
    assert tables(sender.provisioned.organization.id) == before


def test_withdrawing_all_of_a_derived_session_removes_it(sender: Sender, now: datetime) -> None:
    alone = [query(now, "", user_id="a"), response(now + timedelta(minutes=1), "", user_id="a")]
    batch = sender.send(*alone)
    sender.digest()
    assert sender.value("sessions").value == 1
    with tenant(sender.provisioned.organization.id):
        withdraw(batch.batch_id)
    sender.digest()
    assert not any(tables(sender.provisioned.organization.id).values())
