"""`manage.py recompute`: rebuild everything derived, from events alone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.directory import organization_ids
from apps.accounts.models import Organization
from apps.conversations.rebuild import rebuild
from apps.core.tenancy import tenant
from apps.core.time_buckets import local_midnight


class Command(BaseCommand):
    help = "Rebuild sessions, generations and all KPIs from events alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="Public id or name; all organisations without it.")
        parser.add_argument("--from", dest="start", help="First local day, e.g. 2026-11-01.")
        parser.add_argument("--to", dest="end", help="Local day after the last one.")
        parser.add_argument(
            "--as-of",
            dest="as_of",
            help="Instant to compare at (ISO 8601 with a zone). Facts hold no clock: any one leaves the same tables.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _check_as_of(options["as_of"])
        ids = organization_ids(options["organization"])
        if not ids:
            raise CommandError(f"organization: {options['organization']!r} is not known.")
        for organization_id in ids:
            with tenant(organization_id):
                organization = Organization.objects.get()
                sessions = rebuild(
                    _instant(options["start"], "from", organization),
                    _instant(options["end"], "to", organization),
                )
            self.stdout.write(f"{organization.public_id}: {sessions} sessions rebuilt.")


def _check_as_of(text: str | None) -> None:
    try:
        if text is not None and datetime.fromisoformat(text).tzinfo is None:
            raise CommandError("as-of: must have a zone, such as 2026-11-20T12:00:00+00:00.")
    except ValueError:
        raise CommandError("as-of: must be an instant such as 2026-11-20T12:00:00+00:00.") from None


def _instant(text: str | None, name: str, organization: Organization) -> datetime | None:
    if text is None:
        return None
    try:
        return local_midnight(date.fromisoformat(text), organization.zone)
    except ValueError:
        raise CommandError(f"{name}: must be a date such as 2026-11-20.") from None
