"""Members of each role, signed in, and an organisation with something to look at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Membership, Role
from apps.accounts.people import verified_user
from apps.core.tenancy import tenant
from tests.conftest import Sender, query, response, unique


@pytest.fixture
def as_role(organization: Any) -> Callable[[str], Client]:
    """A client signed in as a new member with this role."""

    def sign_in(role: str) -> Client:
        user = verified_user(f"{unique(role)}@example.com", "correct horse battery")
        with tenant(organization.organization.id):
            Membership(user=user, role=role).save()
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def owner(as_role: Callable[[str], Client]) -> Client:
    return as_role(Role.OWNER)


def conversation(
    start: datetime, name: str, *, is_frustrated: bool = False, **more: Any
) -> list[dict[str, Any]]:
    """A finished session of one turn that feeds all five conversation metrics."""
    answered = start + timedelta(seconds=4)
    return [
        query(start, name, user_id=f"user of {name}", frustrated=is_frustrated, **more),
        response(
            answered,
            name,
            response_id=f"answer of {name}",
            model=more.get("model", "gpt-4o"),
            provider="openai",
            input_tokens=900,
            output_tokens=100,
            latency_ms=1200,
            grounding_expected=True,
            cited_sentences=3,
            total_sentences=4,
            **{name: value for name, value in more.items() if name != "model"},
        ),
        {
            "event": "session_ended",
            "timestamp": (start + timedelta(seconds=9)).isoformat(),
            "session_id": name,
            "outcome": "resolved",
        },
    ]


@pytest.fixture
def busy(sender: Sender, now: datetime) -> Sender:
    """Forty finished sessions of the last days, every fifth frustrated, and two refused events."""
    for number in range(40):
        start = now - timedelta(days=number % 8, minutes=number)
        sender.send(*conversation(start, f"s{number}", is_frustrated=number % 5 == 0))
    sender.send(
        {"event": "llm_query_sent"}, {"event": "llm_query_sent", "timestamp": "never", "query_text": "sesame"}
    )
    sender.digest()
    return sender


@pytest.fixture
def forget_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser's driver keeps an event loop in this thread, which Django takes for asynchronous code."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    assert threading.current_thread() is threading.main_thread()
