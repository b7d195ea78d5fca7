"""Cost settings and contract prices over HTTP: what escalations and model calls cost, from which day on."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.models import Project, Scope
from apps.events.rest import KeyView
from apps.pricing.contracts import withdraw
from apps.pricing.models import ContractPrice, CostSetting


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


class ContractPriceSerializer(serializers.ModelSerializer[ContractPrice]):
    """A price in USD per million tokens; `counts_from` is the first instant of calls that it prices."""

    counts_from = serializers.DateTimeField(read_only=True)

    class Meta:
        model = ContractPrice
        fields = (
            "id",
            "effective_from",
            "provider",
            "model",
            "input_usd_per_million",
            "cache_read_usd_per_million",
            "cache_write_usd_per_million",
            "output_usd_per_million",
            "note",
            "created_at",
            "counts_from",
            "withdrawn_at",
        )
        read_only_fields = ("id", "created_at", "withdrawn_at")
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        ContractPrice.new(**attrs)
        return attrs


class ContractPrices(KeyView):
    """GET the prices, withdrawn ones included; POST enters one, which changes no past costs."""

    scopes = {"POST": Scope.ADMIN}

    @extend_schema(responses={200: ContractPriceSerializer(many=True)})
    def get(self, request: Request) -> Response:
        rows = ContractPrice.objects.all()
        return Response({"contract_prices": ContractPriceSerializer(rows, many=True).data})

    @extend_schema(request=ContractPriceSerializer, responses={201: ContractPriceSerializer})
    def post(self, request: Request) -> Response:
        sent = ContractPriceSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        row = sent.save()
        audit.record(
            "contract_price.created",
            audit.target_of(row),
            actor_label=f"key {self.identity.key_id}",
            after=audit.snapshot(row),
        )
        return Response(ContractPriceSerializer(row).data, status=201)


class OneContractPrice(KeyView):
    """DELETE withdraws a price: it counts no longer for calls from now on."""

    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, price_id: int) -> Response:
        row = ContractPrice.objects.filter(pk=price_id).first()
        if row is None or not withdraw(row, actor_label=f"key {self.identity.key_id}"):
            raise Http404
        return Response(status=204)
