"""Budgets of a calendar month, closed to other organisations."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.rls import composite_foreign_key, protect


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("pricing", "0004_isolation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organization_id", models.BigIntegerField(editable=False)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("organization", "Organisation"),
                            ("project", "Project"),
                            ("team", "Team"),
                            ("feature", "Feature"),
                            ("customer", "Customer"),
                        ],
                        default="organization",
                        max_length=16,
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Which project (its name or id), team, feature or customer; empty for the organisation.",
                        max_length=200,
                    ),
                ),
                (
                    "monthly_usd",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                        verbose_name="monthly budget (USD)",
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["scope", "value"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "scope", "value"),
                        name="pricing_budget_once",
                        violation_error_message="There is a budget of this scope and value already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scope__in", ["organization", "project", "team", "feature", "customer"])
                        ),
                        name="pricing_budget_scope",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scope", "organization"), ("value", "")),
                            models.Q(
                                models.Q(("scope", "organization"), _negated=True),
                                models.Q(("value", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="pricing_budget_value",
                        violation_error_message="Name the project, team, feature or customer; nothing for the organisation.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("monthly_usd__gt", 0)), name="pricing_budget_amount"
                    ),
                ],
            },
        ),
        protect("pricing_budget"),
        composite_foreign_key("pricing_budget", ("organization_id",), "accounts_organization", ("id",)),
    ]
