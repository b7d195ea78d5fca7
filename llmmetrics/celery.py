"""The Celery application. Redis only nudges: what is pending stands in PostgreSQL."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmmetrics.settings")

app = Celery("llmmetrics")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_process_init.connect
def refuse_unsafe_database(**kwargs: Any) -> None:
    """A worker process does not start on a database that mixes tenants."""
    from llmmetrics import boot

    boot.refuse_unsafe_database()
