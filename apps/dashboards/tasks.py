"""Background work of the pages. Thin: ids in, one call, safe to run twice."""

from __future__ import annotations

from celery import shared_task

from apps.dashboards.demo.load import load_demo_data


@shared_task(ignore_result=True)
def load_demo(organization_id: int) -> None:
    """Load the demo traffic of one organisation; progress stands in its ledger."""
    load_demo_data(organization_id, lambda done, whole: None)
