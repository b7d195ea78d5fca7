"""Budgets over HTTP: what a month may cost, what it has cost, and where it is heading."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.models import Organization, Scope
from apps.events.rest import KeyView
from apps.metrics.budgets import BudgetState, budget_states
from apps.pricing.models import Budget, BudgetScope


class BudgetSerializer(serializers.ModelSerializer[Budget]):
    """A budget; for scope `project` the value is the project's id (its name is taken too)."""

    class Meta:
        model = Budget
        fields = ("id", "scope", "value", "monthly_usd", "note", "created_at")
        read_only_fields = ("id", "created_at")
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = Budget(**attrs)
        row.clean()
        return {**attrs, "value": row.value}


class BudgetStateSerializer(BudgetSerializer):
    """A budget with its use in the local calendar month; no projection on its first day."""

    month = serializers.DateField(read_only=True)
    spent_usd = serializers.DecimalField(14, 6, read_only=True)
    used_share = serializers.FloatField(read_only=True)
    projected_usd = serializers.DecimalField(14, 2, read_only=True, allow_null=True)

    class Meta(BudgetSerializer.Meta):
        fields = (*BudgetSerializer.Meta.fields, "month", "spent_usd", "used_share", "projected_usd")  # type: ignore[assignment]


def told(state: BudgetState) -> dict[str, Any]:
    return {
        **BudgetSerializer(state.budget).data,
        "month": state.month.isoformat(),
        "spent_usd": str(state.spent_usd),
        "used_share": state.used_share,
        "projected_usd": None if state.projected_usd is None else str(state.projected_usd),
    }


class Budgets(KeyView):
    """GET the budgets with their use and projection; POST sets one, replacing that of the same scope and value."""

    scopes = {"POST": Scope.ADMIN}

    @extend_schema(responses={200: BudgetStateSerializer(many=True)})
    def get(self, request: Request) -> Response:
        states = budget_states(Organization.objects.get(), timezone.now())
        return Response({"budgets": [told(state) for state in states]})

    @extend_schema(request=BudgetSerializer, responses={201: BudgetSerializer})
    def post(self, request: Request) -> Response:
        sent = BudgetSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        values = dict(sent.validated_data)
        same = {"scope": values.pop("scope", BudgetScope.ORGANIZATION), "value": values.pop("value")}
        held = Budget.objects.filter(**same).first()
        before = audit.snapshot(held) if held else None
        row = held or Budget(**same)
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        audit.record(
            "budget.changed" if before else "budget.created",
            audit.target_of(row),
            actor_label=f"key {self.identity.key_id}",
            before=before,
            after=audit.snapshot(row),
        )
        return Response(BudgetSerializer(row).data, status=201)


class OneBudget(KeyView):
    """DELETE removes a budget; what was spent stays what it was."""

    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, budget_id: int) -> Response:
        row = Budget.objects.filter(pk=budget_id).first()
        if row is None:
            raise Http404
        audit.record(
            "budget.deleted",
            audit.target_of(row),
            actor_label=f"key {self.identity.key_id}",
            before=audit.snapshot(row),
        )
        row.delete()
        return Response(status=204)
