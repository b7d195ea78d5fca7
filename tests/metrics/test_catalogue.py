"""One declaration a metric: everything else derives from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Membership, Role
from apps.accounts.people import verified_user
from apps.alerts.models import metric_choices
from apps.core.tenancy import tenant
from apps.metrics import formulas as f
from apps.metrics.catalogue import METRICS, Metric
from apps.metrics.docs import metrics_markdown
from apps.metrics.measures import sessions as s
from tests.conftest import Sender, query, unique

# Keys are for ever.
WANTED = """
frustration_spike_rate frustrated_turn_rate frustration_exit_rate sentiment_score recovery_rate
recovery_rate_confirmed grounding_score low_grounding_rate grounding_coverage faithfulness
token_efficiency_index resolution_label_coverage escalation_deflection_value deflection_value_total
deflection_value_verified deflection_value_net_all deflection_rate escalation_rate contained_rate
verified_rate agent_runs generations model_share tool_calls tool_duration_avg tool_duration_p95
tool_success_rate tool_timeout_rate tokens_input tokens_output tokens_cached tokens_reasoning
tokens_total tokens_per_request tokens_per_request_p99 cost_total cost_per_request cost_per_session
cost_per_user cost_unpriced_share usage_suspect_share latency_p50 latency_p90 latency_p95 latency_p99
ttft_p50 ttft_p95
ttft_coverage latency_tail_ratio model_latency_p50 model_latency_p95 step_duration_p95
step_time_share error_rate errors timeout_rate rate_limit_rate provider_error_rate format_error_rate
agent_invocations_per_run nesting_depth_max deep_run_rate fan_out_max handoff_rate
human_handoff_rate agent_handoffs sessions messages_per_session conversation_depth
session_duration_p50 completion_rate abandonment_rate abandonment_after_response_rate
refinement_rate context_retention follow_up_rate restart_rate return_session_rate copy_rate
share_rate feedback_coverage feature_adoption thumbs_up_rate star_rating csat nps dau wau mau
new_users retention_d1 retention_d7 retention_d30 activation_rate churn_rate time_to_value_p50
goal_completion_rate revenue revenue_per_user margin ltv cost_per_interaction accuracy relevance
completeness coherence judge_score retrieval_precision retrieval_recall hallucination_rate
refusal_rate format_validity_rate response_length_p50 response_length_p95 pii_exposure_rate
prompt_injection_rate toxicity_rate bias_rate policy_violations throughput_per_minute uptime
gpu_utilisation cpu_utilisation memory_used
"""

ADDED = Metric(
    "added_for_a_test",
    "Added for a test",
    "Escalated sessions of all sessions.",
    "Added",
    "ratio",
    "down",
    f.Share(s.escalated_sessions, s.sessions),
    ("product",),
)


def test_the_page_of_metrics_is_what_the_catalogue_says() -> None:
    written = (Path(settings.BASE_DIR) / "docs" / "metrics.md").read_text()
    assert written == metrics_markdown(), "run `manage.py metrics_docs`"


def test_a_metric_is_one_object_and_appears_everywhere(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS, ADDED.key, ADDED)
    made = sender.provisioned
    sender.send(query(now, "s"))
    sender.digest()
    api = Client(headers={"Authorization": f"Bearer {made.keys['read_key']}"})
    listed = [one for one in api.get("/api/v1/metrics").json()["metrics"] if one["key"] == ADDED.key]
    assert listed[0]["title"] == ADDED.title
    assert api.get(f"/api/v1/metrics/{ADDED.key}?interval=total").status_code == 200
    page = signed_in(made)
    assert ADDED.title in page.get("/metrics/").content.decode()
    assert ADDED.about in page.get(f"/metrics/{ADDED.key}/").content.decode()
    assert (ADDED.key, ADDED.title) in dict(metric_choices())["Added"]
    assert f"`{ADDED.key}`: {ADDED.title}" in metrics_markdown()


def signed_in(made: Any) -> Client:
    """A client of the organisation's owner."""
    user = verified_user(f"{unique('owner')}@example.com", "correct horse battery")
    with tenant(made.organization.id):
        Membership(user=user, role=Role.OWNER).save()
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize("key", METRICS)
def test_every_metric_says_what_it_is(key: str) -> None:
    metric = METRICS[key]
    assert metric.title
    assert metric.about.endswith(".")
    assert metric.roles
    assert metric.dimensions
    assert metric.formula.words()
    assert not (metric.target and not metric.target_source)


def test_every_metric_of_the_field_is_there() -> None:
    assert sorted(set(WANTED.split()) - set(METRICS)) == []
