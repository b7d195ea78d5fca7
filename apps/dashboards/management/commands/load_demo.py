"""`manage.py load_demo`: the demo organisation, and its 60 days of traffic."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.accounts.models import Organization
from apps.core.tenancy import tenant
from apps.dashboards.demo.load import load_demo_data
from apps.dashboards.demo.organization import LOGIN, demo_organization_id, make_demo_organization

STEPS = 10


class Command(BaseCommand):
    help = (
        "Make the demo organisation where it is missing, print one JSON line (secrets only when it is new), "
        "and load its traffic. Running it again adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        only = parser.add_mutually_exclusive_group()
        only.add_argument(
            "--organization-only",
            action="store_true",
            help="Load nothing; print a login and keys, made anew where the organisation exists.",
        )
        only.add_argument("--data", action="store_true", help="Only load the traffic, print no JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["data"]:
            self.stdout.write(json.dumps(self.organization(is_renewing=options["organization_only"])))
        if not options["organization_only"]:
            self.load()

    def organization(self, *, is_renewing: bool) -> dict[str, str]:
        organization_id = demo_organization_id()
        if is_renewing or organization_id is None:
            return make_demo_organization()
        with tenant(organization_id):
            return {"login": LOGIN, "organization": Organization.objects.get().public_id}

    def load(self) -> None:
        organization_id = demo_organization_id()
        if organization_id is None:
            self.stderr.write("  demo data: were removed; nothing to load")
            return
        begun = time.monotonic()
        sent = load_demo_data(organization_id, self.show)
        if sent:
            self.stderr.write(
                f"  demo data: {sent:,} events loaded and digested in {time.monotonic() - begun:.0f} s"
            )

    def show(self, done: int, whole: int) -> None:
        """A line that is rewritten on a terminal, a line at every tenth elsewhere."""
        text = f"  demo data: {done / whole:4.0%}  {done:,} of {whole:,} events"
        if self.stderr.isatty():
            self.stderr.write(f"\r{text}", ending="\n" if done >= whole else "")
            self.stderr.flush()
        elif done >= whole or done * STEPS // whole != (done - 1_000) * STEPS // whole:
            self.stderr.write(text)
