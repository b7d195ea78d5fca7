"""Nothing personal of a text is anywhere in the database, whatever way it came in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import PrivacyMode, Project
from apps.core.tenancy import tenant
from tests.conftest import Sender, query, response
from tests.isolation.test_tables import tenant_tables
from tests.reading.test_redaction import corpus, secret_part


def dump(organization_id: int) -> str:
    """Every row of every table that the organisation can see, as text."""
    found: list[str] = []
    with tenant(organization_id), connection.cursor() as cursor:
        for table in tenant_tables():
            if table.startswith("events_event_2"):
                continue
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} t")
            found += [text for (text,) in cursor.fetchall()]
    return "\n".join(found)


def everywhere(now: datetime, number: int, text: str) -> list[dict[str, Any]]:
    """The text in each place that may hold one, in accepted and in refused events."""
    at = now + timedelta(seconds=number)
    session = f"s{number}"
    sources = [{"id": f"d{number}", "title": text, "content": text}]
    return [
        query(at, session, query_text=text, note=text),
        response(at, session, response_text=text, response_id=f"r{number}", sources=sources),
        {
            "event": "response_feedback",
            "timestamp": at.isoformat(),
            "response_id": f"r{number}",
            "feedback_type": "comment",
            "feedback_text": text,
            "properties": {"said": [text]},
        },
        query(at, session, query_text=text, query_length="long"),
    ]


@pytest.mark.parametrize("mode", [PrivacyMode.REDACT, PrivacyMode.DROP])
def test_a_dump_holds_no_personal_data_of_the_corpus(
    mode: str, make_organization: Callable[..., Any], now: datetime
) -> None:
    made = make_organization()
    with tenant(made.organization.id):
        Project.objects.update(privacy_mode=mode)
    sender = Sender(made, now)
    rows = corpus()
    for number, (_, _, text) in enumerate(rows):
        verdict = sender.send(*everywhere(now, number, text))
        assert (verdict.accepted, verdict.rejected) == (3, 1), verdict.errors
    sender.digest()
    stored = dump(made.organization.id)
    hits = [(kind, value) for kind, value, _ in rows if secret_part(kind, value) in stored]
    assert hits == []
