"""The operators' site: staff of the installation look at who uses it, read only and on the record.

It reads through the database role `llm_operator`, which may select from five tables and write
nothing, and is never inside a tenant. Events, sessions and texts are out of its reach.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import OperatorAccess
from apps.accounts.tenant_admin import ModelAdmin, SignInSite

OPERATOR_ALIAS = "operator"


class OperatorSite(SignInSite):
    """`/operator/`: active staff with a second factor; every request is written down first."""

    site_title = "LLM Metrics operators"
    site_header = "LLM Metrics operators"
    index_title = "Installation"
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return (
            user.is_authenticated
            and user.is_active
            and user.is_staff
            and Authenticator.objects.filter(user=user).exists()
        )

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """Staff are told what is missing; for everyone else there is no such site."""
        if not request.user.is_staff:
            return super().refuse(request)
        return render(request, "admin/refused.html", status=403)

    def note(self, request: HttpRequest) -> None:
        assert request.user.is_authenticated
        OperatorAccess.objects.create(
            user=request.user,
            method=request.method or "",
            path=request.get_full_path()[:2000],
            address=request.META.get("REMOTE_ADDR") or None,
        )


class OperatorModelAdmin(ModelAdmin):
    """Lists only, of the columns that the operators' role may read."""

    actions = None
    list_display_links = None
    columns: tuple[str, ...] = ()
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Across organisations on purpose: the read-only role, past the managers that need a tenant."""
        rows: QuerySet[Any] = (
            self.model._base_manager.using(OPERATOR_ALIAS).only(*self.columns).order_by("-pk")
        )
        return rows

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrganizationList(OperatorModelAdmin):
    columns = ("public_id", "name", "timezone", "is_demo", "created_at")
    list_display = ("id", *columns)
    search_fields = ("name", "public_id")


class MembershipList(OperatorModelAdmin):
    columns = ("organization_id", "role", "created_at", "user__email")
    list_display = ("organization_id", "user", "role", "created_at")
    search_fields = ("user__email",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")


class ProjectList(OperatorModelAdmin):
    columns = ("organization_id", "public_id", "name", "privacy_mode", "is_demo", "created_at")
    list_display = columns
    search_fields = ("public_id",)


class BatchList(OperatorModelAdmin):
    """The ledger's counts; neither keys nor messages."""

    columns = (
        "organization_id",
        "project_id",
        "source",
        "received_at",
        "sent",
        "accepted",
        "duplicate",
        "rejected",
        "state",
        "attempts",
    )
    list_display = ("id", *columns)
    list_filter = ("state", "source")


class AccessList(OperatorModelAdmin):
    """Who of the staff looked at what. The table belongs to no organisation."""

    list_display = ("at", "user", "method", "path", "address")
    list_filter = ("method",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return OperatorAccess.objects.select_related("user")
