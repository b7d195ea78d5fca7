from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from apps.conversations.recomputing import recompute_all
from apps.core.rls import composite_foreign_key, protect

PROJECT = ("organization_id", "project_id")
KEY = ("organization_id", "id")
TABLES = ("conversations_finding", "conversations_run")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("conversations", "0002_isolation"),
    ]

    operations: ClassVar = [
        migrations.RemoveField(
            model_name="generation",
            name="csat",
        ),
        migrations.RemoveField(
            model_name="generation",
            name="nps",
        ),
        migrations.RemoveField(
            model_name="generation",
            name="stars",
        ),
        migrations.AddField(
            model_name="generation",
            name="csat_nano",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="generation",
            name="is_format_expected",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="generation",
            name="is_format_valid",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="generation",
            name="nps_nano",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="generation",
            name="response_length",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="generation",
            name="stars_nano",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="ends_with_response",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="session",
            name="goals",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="session",
            name="is_recurring",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="session",
            name="is_restarted",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("organization_id", models.BigIntegerField(editable=False)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "project_id",
                        "event_key",
                        "kind",
                        "name",
                        "about_key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("event_key", models.UUIDField()),
                ("about_key", models.UUIDField()),
                ("kind", models.TextField()),
                ("name", models.TextField()),
                ("session_id", models.TextField(null=True)),
                ("at", models.DateTimeField()),
                ("source", models.TextField(null=True)),
                ("value", models.DecimalField(decimal_places=9, max_digits=30, null=True)),
                ("label", models.TextField(null=True)),
                ("environment", models.TextField()),
                ("provider", models.TextField(null=True)),
                ("model", models.TextField(null=True)),
                ("model_version", models.TextField(null=True)),
                ("feature", models.TextField(null=True)),
                ("team", models.TextField(null=True)),
                ("customer", models.TextField(null=True)),
                ("intent", models.TextField(null=True)),
                ("channel", models.TextField(null=True)),
                ("segment", models.TextField(null=True)),
                ("release", models.TextField(null=True)),
                ("language", models.TextField(null=True)),
                ("prompt_name", models.TextField(null=True)),
                ("prompt_version", models.TextField(null=True)),
                ("agent", models.TextField(null=True)),
                ("experiment", models.TextField(null=True)),
                ("variant", models.TextField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "at"], name="conv_finding_time"),
                    models.Index(
                        condition=models.Q(("session_id__isnull", False)),
                        fields=["organization_id", "session_id"],
                        name="conv_finding_of",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("organization_id", models.BigIntegerField(editable=False)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "project_id",
                        "event_key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("event_key", models.UUIDField()),
                ("session_id", models.TextField(null=True)),
                ("at", models.DateTimeField()),
                ("invocations", models.IntegerField()),
                ("nesting_depth", models.IntegerField()),
                ("fan_out", models.IntegerField()),
                ("environment", models.TextField()),
                ("provider", models.TextField(null=True)),
                ("model", models.TextField(null=True)),
                ("model_version", models.TextField(null=True)),
                ("feature", models.TextField(null=True)),
                ("team", models.TextField(null=True)),
                ("customer", models.TextField(null=True)),
                ("intent", models.TextField(null=True)),
                ("channel", models.TextField(null=True)),
                ("segment", models.TextField(null=True)),
                ("release", models.TextField(null=True)),
                ("language", models.TextField(null=True)),
                ("prompt_name", models.TextField(null=True)),
                ("prompt_version", models.TextField(null=True)),
                ("agent", models.TextField(null=True)),
                ("experiment", models.TextField(null=True)),
                ("variant", models.TextField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "at"], name="conv_run_time"),
                    models.Index(
                        condition=models.Q(("session_id__isnull", False)),
                        fields=["organization_id", "session_id"],
                        name="conv_run_of",
                    ),
                ],
            },
        ),
        *(protect(table) for table in TABLES),
        *(composite_foreign_key(table, PROJECT, "accounts_project", KEY) for table in TABLES),
        # The new facts follow from the events.
        recompute_all(anew=False),
    ]
