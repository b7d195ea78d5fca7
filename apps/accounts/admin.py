"""Admin of organisation, projects, members, invitations and the audit trail."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from apps.accounts.models import AuditEntry, Membership, Role
from apps.accounts.projects import DERIVES_FACTS, request_recompute
from apps.accounts.tenant_admin import ModelForm, TenantModelAdmin, membership_of


class FactSettingAdmin(TenantModelAdmin):
    """Settings that facts were computed with: a change makes history follow."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and DERIVES_FACTS & set(form.changed_data):
            request_recompute()


class OrganizationAdmin(FactSettingAdmin):
    """The organisation's own row: the manager shows no other."""

    may_add = may_delete = False
    list_display = ("name", "timezone", "return_window_hours", "retention_days")
    fields = ("name", "timezone", "return_window_hours", "public_id", "retention_days", "created_at")
    readonly_fields = ("public_id", "retention_days", "created_at")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A list of one is skipped."""
        own = membership_of(request).organization_id
        return redirect(
            reverse("admin:accounts_organization_change", args=[own], current_app=self.admin_site.name)
        )


class ProjectAdmin(FactSettingAdmin):
    """Projects are never deleted here: events, sessions and the ledger belong to them."""

    may_delete = False
    list_display = ("name", "privacy_mode", "idle_gap_minutes", "grounding_expected", "is_regulated")
    search_fields = ("name",)
    fields = (
        "name",
        "privacy_mode",
        "idle_gap_minutes",
        "grounding_expected",
        "is_regulated",
        "public_id",
        "created_at",
    )
    readonly_fields = ("public_id", "created_at")


class MembershipForm(ModelForm):
    """A role; the last owner stays owner."""

    class Meta:
        model = Membership
        fields = ("role",)

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if role != Role.OWNER and is_last_owner(self.instance.pk):
            raise ValidationError("role: the last owner stays; make another member an owner first.")
        return role


def is_last_owner(membership_id: int) -> bool:
    """Whether no other member is an owner; holds the owners' rows, so that two requests can not both pass."""
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER).values_list("pk", flat=True)
    return list(owners) == [membership_id]


class MembershipAdmin(TenantModelAdmin):
    """Roles of members. People come in by invitation. Only an owner touches owners or makes one."""

    may_add = False
    form = MembershipForm
    actions = None
    list_display = ("user", "role", "created_at")
    list_select_related = ("user",)
    list_filter = ("role",)
    fields = ("user", "role", "created_at")
    readonly_fields = ("user", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        if not super().has_delete_permission(request, obj) or not self._may_touch(request, obj):
            return False
        return obj is None or obj.role != Role.OWNER or not is_last_owner(obj.pk)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and membership_of(request).role != Role.OWNER:
            kwargs["choices"] = [choice for choice in Role.choices if choice[0] != Role.OWNER]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @staticmethod
    def _may_touch(request: HttpRequest, obj: Membership | None) -> bool:
        return obj is None or obj.role != Role.OWNER or membership_of(request).role == Role.OWNER


class ReadOnlyAdmin(TenantModelAdmin):
    may_add = may_change = may_delete = False
    actions = None


class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "role", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("invited_by",)
    list_filter = ("role",)
    fields = list_display


class AuditEntryAdmin(ReadOnlyAdmin):
    """The trail, newest first, with the values before and after."""

    list_display = ("at", "actor_label", "action", "target")
    list_filter = ("action",)
    search_fields = ("actor_label", "action", "target")
    date_hierarchy = "at"
    fields = ("at", "actor_label", "action", "target", "values_before", "values_after", "address")
    readonly_fields = ("values_before", "values_after")

    def values_before(self, entry: AuditEntry) -> str:
        return pretty(entry.before)

    def values_after(self, entry: AuditEntry) -> str:
        return pretty(entry.after)


def pretty(values: Any) -> str:
    """JSON values as an indented block; every character of them is escaped."""
    if values is None:
        return "-"
    return format_html(
        '<pre class="values">{}</pre>', json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True)
    )
