"""60 days of a support assistant's traffic, the same for the same anchor hour and zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.dashboards.demo import calendar
from apps.dashboards.demo.script import CHANNELS, CUSTOMERS, INTENTS, MODELS, SEGMENTS, VOICES
from apps.dashboards.demo.talk import Talk, converse

PEOPLE = 2_400
SEED = 20_260_101
MOST_EVENTS = 100_000


def anchor_hour(now: datetime) -> datetime:
    """The hour up to which the traffic goes; its last event lies exactly there."""
    return now.replace(minute=0, second=0, microsecond=0)


def generate(now: datetime) -> list[dict[str, Any]]:
    """All events up to the hour of `now` (in the organisation's zone), oldest first."""
    end = anchor_hour(now)
    midnight = end.replace(hour=0)
    timed = [
        (at, event["id"], event)
        for days_ago in range(calendar.DAYS, -1, -1)
        for at, event in _day(midnight - timedelta(days=days_ago), days_ago)
        if at <= end
    ]
    timed.sort(key=lambda one: one[:2])
    return [event for _, _, event in timed]


def _day(day: datetime, days_ago: int) -> Iterator[tuple[datetime, dict[str, Any]]]:
    random = Random(SEED + days_ago)
    yield from _operations(day, days_ago, random)
    count = calendar.sessions_on(days_ago, is_weekend=day.weekday() >= 5, random=random)
    for number in range(count):
        yield from _session(day, days_ago, number, random)


def _operations(day: datetime, days_ago: int, random: Random) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Deployments at midnight, and a heartbeat every hour."""
    for when, kind, version in calendar.DEPLOYMENTS:
        if when == days_ago:
            yield (
                day,
                {
                    "event": "deployment",
                    "id": f"demo-deployment-{kind}-{days_ago}",
                    "timestamp": day.isoformat(),
                    "kind": kind,
                    "name": "support-assistant",
                    "version": version,
                },
            )
    for hour in range(24):
        at = day.replace(hour=hour)
        yield (
            at,
            {
                "event": "heartbeat",
                "id": f"demo-heartbeat-{days_ago}-{hour}",
                "timestamp": at.isoformat(),
                "service": "support-assistant",
                "up": random.random() > 0.003,
            },
        )


def _pick(random: Random, pairs: tuple[tuple[str, int], ...]) -> str:
    return random.choices([name for name, _ in pairs], [weight for _, weight in pairs])[0]


def _session(
    day: datetime, days_ago: int, number: int, random: Random
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    hour = random.choices(range(24), calendar.HOURS)[0]
    at = day.replace(hour=hour) + timedelta(seconds=random.uniform(0, 3600))
    intent = random.choices(INTENTS, [one.weight for one in INTENTS])[0]
    person = int(PEOPLE * random.random() ** 1.3)
    prompt_version = calendar.prompt_on(days_ago, random)
    base = {
        "session_id": f"demo-{days_ago:02d}-{number:03d}",
        "user_id": f"person-{person:04d}",
        "channel": _pick(random, CHANNELS),
        "segment": _pick(Random(person), SEGMENTS),
        "intent": intent.name,
        "feature": intent.feature,
        "team": intent.team,
        "customer": CUSTOMERS[person % len(CUSTOMERS)],
        "release": calendar.release_on(days_ago),
    }
    if days_ago in calendar.EXPERIMENT_DAYS:
        base |= {"experiment": "prompt-v15", "variant": "treatment" if prompt_version == "v15" else "control"}
    model = random.choices(MODELS, [one.weight for one in MODELS])[0]
    (voice,) = Random(f"voice of {person}").choices(
        [one for one, _ in VOICES], [weight for _, weight in VOICES]
    )
    talk = Talk(random, at, days_ago, base, intent, voice, model, prompt_version)
    converse(talk)
    yield from talk.events
