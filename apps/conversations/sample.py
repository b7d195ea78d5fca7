"""Drawing the turns that an organisation labels, from the sessions of the last 30 days."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import F, Max, Value
from django.db.models.functions import MD5, Concat

from apps.accounts.models import PrivacyMode, Project
from apps.conversations.calibration import model_in_force
from apps.conversations.detection import signals_of
from apps.conversations.load import events_of_sessions
from apps.conversations.models import SampledTurn, Session
from apps.conversations.ratings import attach
from apps.conversations.rows import RESPONSE, EventRow, Key
from apps.conversations.turns import split_turns
from apps.core.rls import CURRENT
from apps.reading.context import Found
from apps.reading.frustration import FRUSTRATION_VERSION, Model, TurnScore
from apps.reading.sampling import allocate, interleave, stratum_of

DAYS: Final = 30
SESSIONS: Final = 1_000
TURNS: Final = 5_000
# A session longer than this is a machine's; reading one takes as long as hundreds of others.
LONGEST_TURNS: Final = 500
TEST: Final = "test"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A turn that could be drawn: detection decides it, and its text is stored."""

    project_id: int
    session_id: str
    event_key: str
    score: TurnScore
    found: Found
    is_first: bool


def latest_draw() -> int:
    """The number of the present sample; 0 before the first."""
    return int(SampledTurn.objects.aggregate(n=Max("draw"))["n"] or 0)


def draw(now: datetime) -> int:
    """Draw a new sample; returns how many turns it has. Labels of turns drawn again still count.

    Sessions come in random order until they hold 5,000 turns, at most 1,000 of them; each turn is
    scored anew, because stored scores are rounded. Without a candidate there is no new sample.
    """
    number, model = latest_draw() + 1, model_in_force()
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for one in _with_text(list(_candidates(_sessions(number, now), model))):
        strata[stratum_of(one.score, model)].append(one)
    for held in strata.values():
        held.sort(key=lambda one: _lot(number, one.event_key))
    order = interleave(allocate({name: len(held) for name, held in strata.items()}))
    waiting = {name: iter(held) for name, held in strata.items()}
    SampledTurn.objects.bulk_create(
        _row(number, place, name, len(strata[name]), next(waiting[name]), now)
        for place, name in enumerate(order, 1)
    )
    return len(order)


def refresh() -> None:
    """Find the signals of the present sample as this version of the detector does, so that labels given
    under an earlier one can be fitted to. The strata stay: they say how the turns were drawn. Turns whose
    events are gone keep the signals that they had."""
    stale = list(SampledTurn.objects.filter(draw=latest_draw()).exclude(version=FRUSTRATION_VERSION))
    keys = sorted({(turn.project_id, turn.session_id) for turn in stale})
    found = {
        event_key: signals
        for events in events_of_sessions(keys).values()
        for event_key, signals in signals_of(events).items()
    }
    known = [turn for turn in stale if turn.event_key.hex in found]
    for turn in known:
        turn.found, turn.version = found[turn.event_key.hex], FRUSTRATION_VERSION
    SampledTurn.objects.bulk_update(known, ["found", "version"])


def _row(number: int, place: int, stratum: str, size: int, one: Candidate, now: datetime) -> SampledTurn:
    return SampledTurn(
        draw=number,
        project_id=one.project_id,
        event_key=one.event_key,
        session_id=one.session_id,
        place=place,
        stratum=stratum,
        stratum_turns=size,
        score=one.score.frustration or 0.0,
        found=one.found,
        version=FRUSTRATION_VERSION,
        is_first=one.is_first,
        drawn_at=now,
    )


def _lot(number: int, event_key: str) -> bytes:
    """Random, and yet the same for everybody."""
    return hashlib.sha256(f"{number}\0{event_key}".encode()).digest()


def _sessions(number: int, now: datetime) -> list[Key]:
    """Closed sessions with a scored turn in random order, of projects that store text."""
    projects = Project.objects.exclude(privacy_mode=PrivacyMode.DROP).values_list("id", flat=True)
    rows = (
        Session.objects.filter(
            project_id__in=list(projects),
            started_at__gte=now - timedelta(days=DAYS),
            closed_at__lte=now,
            scored_turns__gt=0,
            turns__lte=LONGEST_TURNS,
        )
        .exclude(environment=TEST)
        .annotate(lot=MD5(Concat(Value(f"{number}."), F("session_id"))))
        .order_by("lot")
    )
    keys: list[Key] = []
    turns = 0
    for project_id, session_id, its in rows.values_list("project_id", "session_id", "turns")[:SESSIONS]:
        keys.append((project_id, session_id))
        turns += its
        if turns >= TURNS:
            break
    return keys


def _candidates(keys: list[Key], model: Model) -> Iterator[Candidate]:
    for (project_id, session_id), events in events_of_sessions(keys).items():
        yield from _of_session(project_id, session_id, events, model)


def _of_session(
    project_id: int, session_id: str, events: list[EventRow], model: Model
) -> Iterator[Candidate]:
    signals = signals_of(events)
    reactions = attach(events, [event for event in events if event.name == RESPONSE])
    for turn in split_turns(events, reactions, model):
        key = turn.message.event_key
        if turn.is_by_words and turn.score is not None:
            yield Candidate(project_id, session_id, key, turn.score, signals[key], turn.number == 1)


def _with_text(candidates: list[Candidate]) -> list[Candidate]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(uuid_send(event_key), 'hex') FROM events_text "
            f"WHERE organization_id = {CURRENT} AND event_key = ANY(%s::uuid[])",
            [[one.event_key for one in candidates]],
        )
        stored = {key for (key,) in cursor.fetchall()}
    return [one for one in candidates if one.event_key in stored]
