"""`manage.py metrics_docs`: write docs/metrics.md from the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.metrics.docs import metrics_markdown


class Command(BaseCommand):
    help = "Write docs/metrics.md from the catalogue of metrics."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, default=Path(settings.BASE_DIR) / "docs" / "metrics.md")

    def handle(self, *args: Any, **options: Any) -> None:
        options["to"].write_text(metrics_markdown(), encoding="utf-8")
        self.stdout.write(f"Wrote {options['to']}.")
