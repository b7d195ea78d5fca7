"""`manage.py create_organization`: an organisation with an owner, a project and three keys."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.models import validate_time_zone
from apps.accounts.people import verified_user
from apps.accounts.provision import KEY_SCOPES, create_organization


class Command(BaseCommand):
    help = "Create an organisation and print one JSON line: organization, project, ingest_key, read_key, admin_key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument("--timezone", default="UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_time_zone(options["timezone"])
            with transaction.atomic():
                made = create_organization(
                    name=options["name"],
                    owner=verified_user(options["email"], options["password"]),
                    timezone=options["timezone"],
                    keys=tuple(KEY_SCOPES),
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        facts = {"organization": made.organization.public_id, "project": made.project.public_id, **made.keys}
        self.stdout.write(json.dumps(facts))
