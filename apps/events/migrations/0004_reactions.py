"""Reactions apart from responses: looking for the few reactions to many responses reads no response."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

APART = """
CREATE INDEX events_event_answer ON events_event (organization_id, response_id)
    WHERE response_id IS NOT NULL AND name = 'llm_response_generated';
CREATE INDEX events_event_reaction ON events_event (organization_id, response_id)
    WHERE response_id IS NOT NULL AND name <> 'llm_response_generated';
DROP INDEX events_event_response;
"""
TOGETHER = """
CREATE INDEX events_event_response ON events_event (organization_id, response_id) WHERE response_id IS NOT NULL;
DROP INDEX events_event_answer;
DROP INDEX events_event_reaction;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("events", "0003_digest_lag")]

    operations: ClassVar = [migrations.RunSQL(APART, TOGETHER)]
