"""Tables of the floors above that follow the facts: changed in the same transaction, often in the same statement.

The digest knows best which rows go and which come, but what is added up from them is declared above.
So a follower registers itself when its app is ready and is asked for the SQL that folds the changes in:
no follower can be forgotten by a caller, and no number can be ahead of, or behind, another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Protocol

from django.db import connection

from apps.core.rls import CURRENT

FACT_TABLES: Final = ("conversations_session", "conversations_generation", "events_event")


class Follower(Protocol):
    """What follows the facts of the active organisation."""

    def begin(self) -> None:
        """Called in the transaction of every digest, before anything changes."""

    def end(self) -> None:
        """Called in the same transaction, after everything has changed."""

    def fold(self, table: str) -> str:
        """CTEs (`, name AS (…)…`) that fold in `changed`: rows of `table` with a `sign` of 1 or -1."""

    def events_come(self, condition: str, parameters: list[Any]) -> None:
        """Called when the events `f` that fulfil the condition are about to count."""

    def events_counted(self, condition: str, parameters: list[Any]) -> None:
        """Called when the events `f` that fulfil the condition count from now on."""

    def events_removed(self, moments: list[datetime]) -> None:
        """Called when events that had counted were removed, with their times to the quarter of an hour."""

    def reset(self) -> None:
        """Called when all sessions and generations were removed, to be settled anew from the events."""

    def forget(self, project_id: int) -> None:
        """Called when every fact of a project was removed."""


FOLLOWERS: list[Follower] = []


def folded(table: str) -> str:
    """The CTEs of all followers for changes of a fact table that they follow; they read `gone` and `fresh`."""
    if table not in FACT_TABLES or not FOLLOWERS:
        return ""
    changed = ", changed AS (SELECT -1::bigint AS sign, gone.* FROM gone UNION ALL SELECT 1::bigint, fresh.* FROM fresh)"
    return changed + "".join(follower.fold(table) for follower in FOLLOWERS)


def fold_events(condition: str, parameters: list[Any]) -> None:
    """Tell the followers of events (rows `f`) that count from now on."""
    for follower in FOLLOWERS:
        follower.events_come(condition, parameters)
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH changed AS (SELECT 1::bigint AS sign, f.* FROM events_event f WHERE f.organization_id = "
                f"{CURRENT} AND {condition})"
                f"{follower.fold('events_event')} SELECT 1",
                parameters,
            )
        follower.events_counted(condition, parameters)
