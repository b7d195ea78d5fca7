"""Derived facts: sessions and generations. Written set-wise by `digest`, rebuilt from events at any time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import CompositePrimaryKey

from apps.conversations.calibration_models import Calibration, SampledTurn, TurnLabel
from apps.core.models import TenantModel

__all__ = [
    "Assignment",
    "Calibration",
    "Finding",
    "Generation",
    "Run",
    "SampledTurn",
    "Session",
    "TurnLabel",
]


def dimension() -> models.TextField[str | None, str | None]:
    return models.TextField(null=True)


class Session(TenantModel):
    """One conversation, settled as if it were closed; it counts as closed once `closed_at` has passed.

    Everything but the clock follows from events, so that a reader with `now` needs no settling job.
    """

    pk = CompositePrimaryKey("organization_id", "project_id", "session_id")
    project_id = models.BigIntegerField()
    session_id = models.TextField()
    user_id = models.TextField(null=True)
    environment = models.TextField()
    channel = dimension()
    intent = dimension()
    feature = dimension()
    team = dimension()
    customer = dimension()
    segment = dimension()
    release = dimension()
    prompt_version = dimension()
    model = dimension()
    language = dimension()
    experiment = dimension()
    variant = dimension()
    started_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    outcome = models.TextField()
    level = models.TextField(null=True)
    outcome_rule = models.TextField()
    turns = models.IntegerField()
    user_messages = models.IntegerField()
    responses = models.IntegerField()
    comparable_turns = models.IntegerField(default=0)
    refined_turns = models.IntegerField(default=0)
    repeating_turns = models.IntegerField(default=0)
    scored_turns = models.IntegerField()
    frustrated_turns = models.IntegerField()
    # Of these, the ones that detection decided.
    detected_turns = models.IntegerField(default=0)
    is_spiked = models.BooleanField()
    is_frustration_exit = models.BooleanField()
    spikes = models.IntegerField()
    recovered = models.IntegerField()
    recovered_confirmed = models.IntegerField()
    sentiment_nano = models.BigIntegerField()
    sentiment_square_nano = models.BigIntegerField()
    sentiments = models.IntegerField()
    handoffs = models.IntegerField()
    human_handoffs = models.IntegerField()
    human_reached_at = models.JSONField()
    cost_nano = models.BigIntegerField(null=True)
    is_deflected = models.BooleanField()
    is_taken_back = models.BooleanField()
    is_returned = models.BooleanField()
    is_restarted = models.BooleanField(default=False)
    is_recurring = models.BooleanField(default=False)
    goals = models.IntegerField(default=0)
    ends_with_response = models.BooleanField(default=False)
    evidence = models.JSONField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "started_at"], name="conv_session_start"),
            models.Index(
                fields=["organization_id", "user_id", "last_event_at"],
                condition=models.Q(user_id__isnull=False),
                name="conv_session_person",
            ),
        ]

    def __str__(self) -> str:
        return self.session_id


class Generation(TenantModel):
    """One model call: a response given to the user, or an inner call. Tokens in exclusive buckets."""

    pk = CompositePrimaryKey("organization_id", "project_id", "event_key")
    project_id = models.BigIntegerField()
    event_key = models.UUIDField()
    session_id = models.TextField(null=True)
    user_id = models.TextField(null=True)
    at = models.DateTimeField()
    is_response = models.BooleanField()
    environment = models.TextField()
    provider = dimension()
    model = dimension()
    model_version = dimension()
    feature = dimension()
    team = dimension()
    customer = dimension()
    intent = dimension()
    channel = dimension()
    segment = dimension()
    release = dimension()
    prompt_name = dimension()
    prompt_version = dimension()
    agent = dimension()
    error_type = dimension()
    experiment = dimension()
    variant = dimension()
    failed = models.BooleanField()
    latency_us = models.BigIntegerField(null=True)
    model_latency_us = models.BigIntegerField(null=True)
    ttft_us = models.BigIntegerField(null=True)
    has_usage = models.BooleanField()
    tokens_input = models.BigIntegerField()
    tokens_cache_read = models.BigIntegerField()
    tokens_cache_write = models.BigIntegerField()
    tokens_output = models.BigIntegerField()
    tokens_reasoning = models.BigIntegerField()
    tokens_total = models.BigIntegerField()
    cost_nano = models.BigIntegerField(null=True)
    cost_source = models.TextField(null=True)
    price_version = models.TextField(null=True)
    is_unpriced = models.BooleanField()
    flags = models.JSONField(null=True)
    request_tokens = models.BigIntegerField(null=True)
    request_cost_nano = models.BigIntegerField(null=True)
    label = models.TextField(null=True)
    is_label_sent = models.BooleanField()
    labelled_at = models.DateTimeField(null=True)
    is_grounding_expected = models.BooleanField()
    grounding_nano = models.BigIntegerField(null=True)
    is_refused = models.BooleanField()
    is_format_expected = models.BooleanField(default=False)
    is_format_valid = models.BooleanField(default=False)
    response_length = models.BigIntegerField(null=True)
    thumbs = models.SmallIntegerField(null=True)
    stars_nano = models.BigIntegerField(null=True)
    csat_nano = models.BigIntegerField(null=True)
    nps_nano = models.BigIntegerField(null=True)
    copies = models.IntegerField()
    shares = models.IntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "at"], name="conv_generation_time"),
            models.Index(
                fields=["organization_id", "session_id"],
                condition=models.Q(session_id__isnull=False),
                name="conv_generation_of",
            ),
        ]

    def __str__(self) -> str:
        return str(self.event_key)


class Finding(TenantModel):
    """What was found about an answer or a message (`about_key`), at its time and with its dimensions.

    An `evaluation` has a name, a source, a value or a label; a `hit` is one category that a guardrail
    (or the detection of personal data) found in a message, however often.
    """

    pk = CompositePrimaryKey("organization_id", "project_id", "event_key", "kind", "name", "about_key")
    project_id = models.BigIntegerField()
    event_key = models.UUIDField()
    about_key = models.UUIDField()
    kind = models.TextField()
    name = models.TextField()
    session_id = models.TextField(null=True)
    at = models.DateTimeField()
    source = models.TextField(null=True)
    value = models.DecimalField(max_digits=30, decimal_places=9, null=True)
    label = models.TextField(null=True)
    environment = models.TextField()
    provider = dimension()
    model = dimension()
    model_version = dimension()
    feature = dimension()
    team = dimension()
    customer = dimension()
    intent = dimension()
    channel = dimension()
    segment = dimension()
    release = dimension()
    language = dimension()
    prompt_name = dimension()
    prompt_version = dimension()
    agent = dimension()
    experiment = dimension()
    variant = dimension()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "at"], name="conv_finding_time"),
            models.Index(
                fields=["organization_id", "session_id"],
                condition=models.Q(session_id__isnull=False),
                name="conv_finding_of",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Run(TenantModel):
    """One root agent run with everything that it called: how many, how deep, how wide."""

    pk = CompositePrimaryKey("organization_id", "project_id", "event_key")
    project_id = models.BigIntegerField()
    event_key = models.UUIDField()
    session_id = models.TextField(null=True)
    at = models.DateTimeField()
    invocations = models.IntegerField()
    nesting_depth = models.IntegerField()
    fan_out = models.IntegerField()
    environment = models.TextField()
    provider = dimension()
    model = dimension()
    model_version = dimension()
    feature = dimension()
    team = dimension()
    customer = dimension()
    intent = dimension()
    channel = dimension()
    segment = dimension()
    release = dimension()
    language = dimension()
    prompt_name = dimension()
    prompt_version = dimension()
    agent = dimension()
    experiment = dimension()
    variant = dimension()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "at"], name="conv_run_time"),
            models.Index(
                fields=["organization_id", "session_id"],
                condition=models.Q(session_id__isnull=False),
                name="conv_run_of",
            ),
        ]

    def __str__(self) -> str:
        return str(self.event_key)


class Assignment(TenantModel):
    """The derived session of an event that was sent without one but with a user."""

    pk = CompositePrimaryKey("organization_id", "event_key")
    event_key = models.UUIDField()
    project_id = models.BigIntegerField()
    user_id = models.TextField()
    session_id = models.TextField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "session_id"], name="conv_assignment_of"),
            models.Index(fields=["organization_id", "user_id"], name="conv_assignment_person"),
        ]

    def __str__(self) -> str:
        return self.session_id
