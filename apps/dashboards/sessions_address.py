"""Addresses of sessions. Their ids come from callers and may hold any character."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from urllib.parse import urlencode

# What no server, proxy or browser changes on the way; a lone dot would be taken for a folder.
PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", re.ASCII)
CODED: Final = "~"


def token_of(session_id: str) -> str:
    """The id as one part of a path: as it is where that is safe, else `~` and base64url."""
    if PLAIN.fullmatch(session_id):
        return session_id
    return CODED + urlsafe_b64encode(session_id.encode()).decode().rstrip("=")


def session_id_of(token: str) -> str | None:
    """The id that `token_of` made this of; None for a token that it never makes."""
    if not token.startswith(CODED):
        return token if PLAIN.fullmatch(token) else None
    coded = token[1:]
    try:
        session_id = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except ValueError:
        return None
    is_made = session_id and "\0" not in session_id and token_of(session_id) == token
    return session_id if is_made else None


def session_path(project_public_id: str, session_id: str, query: str = "", part: str = "") -> str:
    """The address of a session's page; `query` is the filter of the list that it belongs to."""
    path = f"/sessions/{project_public_id}/{token_of(session_id)}/{part}"
    return f"{path}?{query}" if query else path


def sessions_path(**parameters: str | tuple[str, ...]) -> str:
    """The address of the list of sessions; empty parameters are left out."""
    query = urlencode({name: value for name, value in parameters.items() if value}, doseq=True)
    return f"/sessions/?{query}" if query else "/sessions/"
