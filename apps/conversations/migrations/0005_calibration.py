from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from apps.core.rls import composite_foreign_key, protect

PROJECT = ("organization_id", "project_id")
KEY = ("organization_id", "id")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("conversations", "0004_turns_compared"),
        ("accounts", "0002_isolation"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SampledTurn",
            fields=[
                ("organization_id", models.BigIntegerField(editable=False)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "draw",
                        "project_id",
                        "event_key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("draw", models.IntegerField()),
                ("project_id", models.BigIntegerField()),
                ("event_key", models.UUIDField()),
                ("session_id", models.TextField()),
                ("place", models.IntegerField()),
                ("stratum", models.TextField()),
                ("stratum_turns", models.IntegerField()),
                ("score", models.FloatField()),
                ("found", models.JSONField()),
                ("is_first", models.BooleanField()),
                ("drawn_at", models.DateTimeField()),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="TurnLabel",
            fields=[
                ("organization_id", models.BigIntegerField(editable=False)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "project_id",
                        "event_key",
                        "labeller_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("project_id", models.BigIntegerField()),
                ("event_key", models.UUIDField()),
                ("labeller_id", models.BigIntegerField()),
                ("is_frustrated", models.BooleanField(null=True)),
                ("score", models.FloatField()),
                ("at", models.DateTimeField()),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="Calibration",
            fields=[
                ("organization_id", models.BigIntegerField(editable=False)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("created_by_id", models.BigIntegerField()),
                ("version", models.IntegerField()),
                ("threshold", models.FloatField(null=True)),
                ("offset", models.FloatField(default=0.0)),
                ("turns", models.IntegerField()),
                ("figures", models.JSONField()),
                ("is_active", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)),
                        fields=("organization_id",),
                        name="conv_calibration_active",
                    )
                ]
            },
        ),
        migrations.AddField(
            model_name="session",
            name="detected_turns",
            field=models.IntegerField(default=0),
        ),
        *(protect(f"conversations_{table}") for table in ("sampledturn", "turnlabel", "calibration")),
        *(
            composite_foreign_key(f"conversations_{table}", PROJECT, "accounts_project", KEY)
            for table in ("sampledturn", "turnlabel")
        ),
    ]
