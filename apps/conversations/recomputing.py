"""For migrations that change what facts mean: every organisation is rebuilt in the background."""

from __future__ import annotations

from typing import Final

from django.db import migrations

# The table's policy lets nobody see all organisations; its owner lifts it for one statement.
REQUEST: Final = """
ALTER TABLE accounts_organization NO FORCE ROW LEVEL SECURITY;
UPDATE accounts_organization SET recompute_requested_at = now();
ALTER TABLE accounts_organization FORCE ROW LEVEL SECURITY;
"""


def recompute_all() -> migrations.RunSQL:
    """Judge all history anew. Every raised FRUSTRATION_VERSION has a migration with it, `…_detector_<version>`."""
    return migrations.RunSQL(REQUEST, migrations.RunSQL.noop)
