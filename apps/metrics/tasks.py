"""Background work on rollups. Thin: ids in, one call, safe to run twice."""

from __future__ import annotations

from celery import shared_task

from apps.metrics.rollups import combinations, keep


@shared_task(ignore_result=True)
def keep_rollups() -> None:
    """Build the rollups of organisations whose definitions or time zone have changed, and what is asked for together."""
    for organization_id in keep.stale_organizations():
        keep.rebuild(organization_id)
    for organization_id in combinations.organizations_with_unbuilt():
        keep.build_combinations(organization_id)
