from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0002_isolation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContractPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organization_id", models.BigIntegerField(editable=False)),
                (
                    "effective_from",
                    models.DateField(help_text="Local day from which on the price is in force."),
                ),
                (
                    "provider",
                    models.CharField(
                        blank=True, default="", help_text="Empty: any provider.", max_length=200
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        help_text="The model's name as it is sent, or its beginning followed by *.",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[^*]+\\*?$|^\\*$", "Only the last character may be a *."
                            )
                        ],
                    ),
                ),
                (
                    "input_usd_per_million",
                    models.DecimalField(
                        decimal_places=6,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="input (USD per million tokens)",
                    ),
                ),
                (
                    "cache_read_usd_per_million",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Empty: as input.",
                        max_digits=14,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cached input (USD per million tokens)",
                    ),
                ),
                (
                    "cache_write_usd_per_million",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="Empty: as input.",
                        max_digits=14,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cache write (USD per million tokens)",
                    ),
                ),
                (
                    "output_usd_per_million",
                    models.DecimalField(
                        decimal_places=6,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="output (USD per million tokens)",
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
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
                "ordering": ["-effective_from", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at", None)),
                        fields=("organization_id", "effective_from", "provider", "model"),
                        name="pricing_contractprice_once",
                        violation_error_message="model: has a price from this day on; withdraw that one first.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("input_usd_per_million__gte", 0),
                            ("output_usd_per_million__gte", 0),
                            ("model__regex", "^[^*]+\\*?$|^\\*$"),
                            models.Q(
                                ("cache_read_usd_per_million", None),
                                ("cache_read_usd_per_million__gte", 0),
                                _connector="OR",
                            ),
                            models.Q(
                                ("cache_write_usd_per_million", None),
                                ("cache_write_usd_per_million__gte", 0),
                                _connector="OR",
                            ),
                        ),
                        name="pricing_contractprice_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Repricing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organization_id", models.BigIntegerField(editable=False)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting"),
                            ("computing", "Computing the difference"),
                            ("ready", "Ready to be applied"),
                            ("applying", "Being applied"),
                            ("applied", "Applied"),
                            ("discarded", "Discarded"),
                        ],
                        default="proposed",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("done_to", models.DateField(editable=False, null=True)),
                ("by_model", models.JSONField(default=list, editable=False)),
                ("error", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("computed_at", models.DateTimeField(editable=False, null=True)),
                ("applied_at", models.DateTimeField(editable=False, null=True)),
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
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("proposed", "computing", "ready", "applying"))),
                        fields=("organization_id",),
                        name="pricing_repricing_one_at_a_time",
                        violation_error_message="Another re-pricing is not finished: apply or discard it first.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_day__gte", models.F("first_day"))),
                        name="pricing_repricing_range",
                        violation_error_message="last_day: must not be before first_day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["proposed", "computing", "ready", "applying", "applied", "discarded"],
                            )
                        ),
                        name="pricing_repricing_state",
                    ),
                ],
            },
        ),
    ]
