"""Derived sessions: where events go that were sent with a user but without a session.

Such an event joins the session of the user's nearest earlier event if that lies less than the idle
gap back, else it starts a session of its own. What an event joins depends only on the event before
it, so a change touches nothing earlier and, later, only the chain that it belongs to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.conversations.rows import EventRow


def derived_session_id(event: EventRow) -> str:
    """The id of the session that this event starts."""
    said = f"{event.project_id}:{event.user_id}:{event.event_id}"
    return f"derived-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def assign(
    events: list[tuple[EventRow, str | None]], user_id: str, idle_gap: timedelta, since: datetime
) -> Mapping[str, str]:
    """Session by event key for the events of one user that were sent without one.

    `events` are in order, each with its present assignment, and begin at least an idle gap before `since`.
    The first one, if before `since`, stays as it is assigned: its own predecessor was not loaded.
    """
    assigned: dict[str, str] = {}
    previous: tuple[EventRow, str] | None = None
    for event, present in events:
        if event.session_id:
            previous = (event, event.session_id)
            continue
        if event.user_id != user_id:
            continue
        if previous is not None and event.at - previous[0].at < idle_gap:
            session_id = previous[1]
        elif previous is None and present is not None and event.at < since:
            session_id = present
        else:
            session_id = derived_session_id(event)
        assigned[event.event_key] = session_id
        previous = (event, session_id)
    return assigned
