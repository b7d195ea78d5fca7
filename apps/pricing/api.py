"""Cost settings over HTTP: what an escalation costs, from which day on, for what."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.models import Project, Scope
from apps.events.rest import KeyView
from apps.pricing.models import CostSetting


class CostSettingSerializer(serializers.ModelSerializer[CostSetting]):
    """A setting; `project` is the project's public id."""

    project = serializers.SlugRelatedField(
        slug_field="public_id", queryset=Project._base_manager.none(), required=False, allow_null=True
    )

    class Meta:
        model = CostSetting
        fields = (
            "id",
            "effective_from",
            "project",
            "channel",
            "intent",
            "cost_per_escalation",
            "baseline_share",
            "created_at",
        )
        read_only_fields = ("id", "created_at")
        validators: list[Any] = []

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["project"].queryset = Project.objects.all()  # type: ignore[attr-defined]
        return fields


class CostSettings(KeyView):
    """GET the settings, newest first; POST adds one (or replaces the one of the same day and scope)."""

    scopes = {"POST": Scope.ADMIN}

    @extend_schema(responses={200: CostSettingSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response({"cost_settings": CostSettingSerializer(CostSetting.objects.all(), many=True).data})

    @extend_schema(request=CostSettingSerializer, responses={201: CostSettingSerializer})
    def post(self, request: Request) -> Response:
        sent = CostSettingSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        values = dict(sent.validated_data)
        same = {
            name: values.pop(name, default)
            for name, default in (
                ("effective_from", None),
                ("project", None),
                ("channel", ""),
                ("intent", ""),
            )
        }
        held = CostSetting.objects.filter(**same).first()
        before = audit.snapshot(held) if held else None
        row = held or CostSetting(**same)
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        audit.record(
            "cost_setting.changed" if before else "cost_setting.created",
            audit.target_of(row),
            actor_label=f"key {self.identity.key_id}",
            before=before,
            after=audit.snapshot(row),
        )
        return Response(CostSettingSerializer(row).data, status=201)
