"""For migrations that change what facts mean: every organisation is rebuilt in the background."""

from __future__ import annotations

from typing import Final

from django.db import migrations

# The table's policy lets nobody see all organisations; its owner lifts it for one statement.
REQUEST: Final = """
ALTER TABLE accounts_organization NO FORCE ROW LEVEL SECURITY;
UPDATE accounts_organization SET recompute_requested_at = now(){};
ALTER TABLE accounts_organization FORCE ROW LEVEL SECURITY;
"""


def recompute_all(*, anew: bool = True) -> migrations.RunSQL:
    """Judge all history anew. Every raised FRUSTRATION_VERSION has a migration with it, `…_detector_<version>`.

    `anew` begins a rebuild that is under way again; its column is there since accounts 0004.
    """
    return migrations.RunSQL(REQUEST.format(", recomputed_to = NULL" if anew else ""), migrations.RunSQL.noop)
