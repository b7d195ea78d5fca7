"""Hands a new key from the request that made it to the one page that shows it.

The key waits in Redis under a random ticket, and the session holds only the ticket: sessions are
rows of the database, and no key may ever be one. Where Redis has lost it, a new key is made.
"""

from __future__ import annotations

import secrets

from django.core.cache import cache
from django.http import HttpRequest

SESSION_KEY = "new_key"
# Long enough to fetch the code of a sign-up from the mail.
VALID_SECONDS = 3600


def keep(request: HttpRequest, key: str) -> None:
    """Have the next page that asks for it show this key."""
    ticket = secrets.token_urlsafe(24)
    cache.set(f"new-key:{ticket}", key, VALID_SECONDS)
    request.session[SESSION_KEY] = ticket


def is_waiting(request: HttpRequest) -> bool:
    """Whether this browser has made a key that it has not seen yet."""
    return SESSION_KEY in request.session


def take(request: HttpRequest) -> str | None:
    """The key that waits, which is forgotten by this; None where there is none."""
    ticket = request.session.pop(SESSION_KEY, None)
    if ticket is None:
        return None
    name = f"new-key:{ticket}"
    key: str | None = cache.get(name)
    cache.delete(name)
    return key
