"""Every address × method × identity: no foreign byte, a foreign id answers like a random one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import Membership, Role
from apps.accounts.people import verified_user
from apps.core.tenancy import tenant
from apps.events.models import Batch, RejectedEvent
from tests.conftest import Sender, query, response, unique

CANARY = "kanarienvogel"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What these do is told by their own tests: they end the session, or belong to the framework.
SKIPPED = ("accounts/logout", "static/", "prometheus", "metrics/prometheus")


def addresses(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every route of the site, as text with its converters."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(pattern.pattern).replace("^", "").replace("$", "").replace("\\Z", "")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def fill(route: str, ids: dict[str, str]) -> str:
    """The route with a value for each of its parameters."""

    def value(match: re.Match[str]) -> str:
        name = match[1].split(":")[-1]
        return ids.get(name, ids["*"])

    filled = re.sub(r"<([^>]+)>", value, route)
    return "/" + re.sub(r"\(\?P[^)]*\)[^/]*|\(.*?\)", ids["*"], filled)


@pytest.fixture
def other(make_organization: Callable[..., Any], now: datetime) -> Any:
    """The organisation whose bytes must not be seen."""
    made = make_organization(name=CANARY)
    sender = Sender(made, now)
    sender.send(
        query(now, CANARY, user_id=CANARY, query_text=CANARY, intent=CANARY, channel=CANARY),
        response(now + timedelta(seconds=2), CANARY, model=CANARY, provider=CANARY, response_text=CANARY),
        {"event": "nonsense", "timestamp": CANARY},
    )
    sender.digest()
    return made


def foreign_ids(other: Any) -> dict[str, str]:
    with tenant(other.organization.id):
        batch, rejected = Batch.objects.first(), RejectedEvent.objects.first()
        membership = Membership.objects.first()
        assert batch
        assert rejected
        assert membership
        return {
            "batch_id": str(batch.pk),
            "membership_id": str(membership.pk),
            "public_id": other.project.public_id,
            "object_id": str(other.project.pk),
            "session_id": CANARY,
            "key": "sessions",
            "slug": "conversation",
            "key_id": "1",
            "token": "nothing",
            "invitation_id": "1",
            "*": str(batch.pk),
        }


@pytest.fixture
def identities(organization: Any) -> dict[str, Client]:
    """A stranger, a member of each role, and each key of the first organisation."""
    found = {"stranger": Client()}
    for role in Role.values:
        user = verified_user(f"{unique(role)}@example.com", "correct horse battery")
        with tenant(organization.organization.id):
            Membership(user=user, role=role).save()
        found[role] = Client()
        found[role].force_login(user)
    for name, key in organization.keys.items():
        found[name] = Client(headers={"Authorization": f"Bearer {key}"})
    return found


def test_no_address_shows_a_foreign_byte(identities: dict[str, Client], other: Any) -> None:
    ids = foreign_ids(other)
    asked = 0
    routes = [route for route in addresses() if not any(skip in route for skip in SKIPPED)]
    assert len(routes) > 60
    for route in routes:
        path = fill(route, ids)
        for name, client in identities.items():
            for method in METHODS:
                answer = client.generic(
                    method, path, content_type="application/json", data="{}" if method != "GET" else ""
                )
                body = b"".join(answer) if answer.streaming else answer.content
                # The session's id stands in the address itself, which error pages may repeat.
                said = body.replace(path.encode(), b"")
                assert CANARY.encode() not in said, f"{name} {method} {path}"
                assert CANARY not in str(answer.headers).replace(path, ""), f"{name} {method} {path}"
                assert answer.status_code < 500, f"{name} {method} {path}: {answer.status_code}"
                asked += 1
    print(f"{asked} requests")


@pytest.mark.parametrize("address", ["/api/v1/batches/{}", "/api/v1/sessions/{}"])
def test_a_foreign_id_answers_like_a_random_one(organization: Any, other: Any, address: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {organization.keys['admin_key']}"})
    ids = foreign_ids(other)
    foreign = ids["batch_id"] if "batches" in address else ids["session_id"]
    random = "987654321"
    answers = [client.get(address.format(one)) for one in (foreign, random)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    deleted = [client.delete(address.format(one)) for one in (foreign, random)]
    assert deleted[0].status_code == deleted[1].status_code
    assert deleted[0].content == deleted[1].content


def test_a_read_key_sees_no_text(organization: Any, now: datetime) -> None:
    sender = Sender(organization, now)
    sender.send(
        query(now, "s", query_text="secret words", mine={"note": "secret words"}),
        response(now, "s", response_text="secret words"),
    )
    sender.digest()
    read = Client(headers={"Authorization": f"Bearer {organization.keys['read_key']}"}).get(
        "/api/v1/sessions/s"
    )
    assert read.status_code == 200
    assert b"secret words" not in read.content
    admin = Client(headers={"Authorization": f"Bearer {organization.keys['admin_key']}"}).get(
        "/api/v1/sessions/s"
    )
    assert b"secret words" in admin.content
