"""`manage.py load_demo`: the demo organisation, and its 60 days of traffic."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.dashboards.demo.load import load_demo_data
from apps.dashboards.demo.organization import demo_organization_ids, make_demo_organization


class Command(BaseCommand):
    help = "Make the demo organisation and load its traffic through the ordinary ingest path."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization-only", action="store_true", help="Print one JSON line, load nothing.")
        parser.add_argument("--data", action="store_true", help="Load the traffic into the existing demo organisation.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["data"]:
            self.stdout.write(json.dumps(make_demo_organization()))
        if not options["organization_only"]:
            load_demo_data(demo_organization_ids()[-1])
