"""Telling the workers that an organisation has something to digest.

A nudge may be lost: beat looks for pending batches every two seconds. So a dead broker costs one
short try and is then left alone for a while.
"""

from __future__ import annotations

import time
from threading import Lock

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

TASK = "apps.conversations.tasks.digest"
PAUSE_AFTER_FAILURE_S = 5.0
SPACING_S = 1.0

_lock = Lock()
_state: dict[str, float] = {"retry_at": 0.0}
_nudged: dict[int, float] = {}


def nudge(organization_id: int) -> None:
    """Ask for a digest; at most once a second per organisation and process. Never raises."""
    now = time.monotonic()
    with _lock:
        if now < _state["retry_at"] or now - _nudged.get(organization_id, -1e9) < SPACING_S:
            return
        _nudged[organization_id] = now
    try:
        current_app.send_task(TASK, args=[organization_id], expires=30)
    except Exception as error:  # Whatever the broker client raises: beat will find the batch.
        with _lock:
            _state["retry_at"] = now + PAUSE_AFTER_FAILURE_S
        log.warning("nudge_failed", organization_id=organization_id, error=type(error).__name__)
