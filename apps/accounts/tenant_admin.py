"""The organisation's own admin: a stock admin site whose every right comes from the member's role.

It runs inside the tenant that `TenantMiddleware` opened, so that both locks hold under every query
of the admin. Django's permission tables and its log are not used; changes go to the audit trail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime, RelatedFieldWidgetWrapper
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.accounts.audit import record, snapshot, target_of, thing_of
from apps.accounts.models import Membership

# Django's classes take their type parameter in the stubs only.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm


def membership_of(request: HttpRequest) -> Membership:
    """The signed-in member; only behind `has_permission`."""
    membership = getattr(request, "membership", None)
    if not isinstance(membership, Membership):
        raise PermissionDenied
    return membership


class SignInSite(admin.AdminSite):
    """An admin site without a sign-in of its own: the ordinary one has the rate limits and second factor."""

    # The shortcut view answers for any model of the installation; nothing here needs it.
    omitted_urls: ClassVar = frozenset({"view_on_site", "password_change_done", "autocomplete"})

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in self.omitted_urls]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Signed-out people are sent to sign in; signed-in ones without the right are refused, no loop."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
            if not self.has_permission(request):
                return self.refuse(request)
            self.note(request)
            answer: HttpResponseBase = inner(request, *args, **kwargs)
            return answer

        return guarded

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """The answer to a signed-in person who has no right to the site: as if it was not there."""
        raise Http404

    def note(self, request: HttpRequest) -> None:
        """Called for every permitted request; a site may keep a record."""

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect_to_login(reverse("admin:index", current_app=self.name), settings.LOGIN_URL)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")

    def get_log_entries(self, request: HttpRequest) -> Any:
        return []


class OrganizationAdminSite(SignInSite):
    """`/admin/`: owners and admins of an organisation configure what is theirs."""

    site_title = "LLM Metrics"
    site_url = "/dashboard/"
    index_title = "Organisation settings"
    # The apps in the order in which people look for things.
    app_order: ClassVar = ("alerts", "pricing", "accounts")

    def has_permission(self, request: HttpRequest) -> bool:
        membership = getattr(request, "membership", None)
        return isinstance(membership, Membership) and request.user.is_active and membership.may_configure

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """As the settings pages do: who belongs nowhere is told so, other roles find no such page."""
        if getattr(request, "membership", None) is None:
            return render(request, "dashboards/no_organization.html", status=403)
        return super().refuse(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        organization = getattr(request, "organization", None)
        return {**super().each_context(request), "site_header": str(organization or self.site_title)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps: list[Any] = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: self.app_order.index(app["app_label"]))


class TenantModelAdmin(ModelAdmin):
    """Rights from the role, changes to the audit trail with the values before and after.

    Rows of other organisations are not found: their ids answer 404 like random ones.
    """

    may_add: ClassVar[bool] = True
    may_change: ClassVar[bool] = True
    may_delete: ClassVar[bool] = True
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change and self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self.admin_site.has_permission(request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """No pop-ups to add or change the related row beside a choice; both halves of an instant named."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if field is not None and isinstance(field.widget, AdminSplitDateTime):
            for half, word in zip(field.widget.widgets, ("date", "time"), strict=True):
                half.attrs["aria-label"] = f"{db_field.verbose_name}: {word} (UTC)"
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = snapshot(self.get_queryset(request).get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)
        after = snapshot(self.get_queryset(request).get(pk=obj.pk))
        self.note(request, obj, "changed" if change else "created", before, after)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.note(request, obj, "deleted", snapshot(obj), None)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def note(
        self,
        request: HttpRequest,
        obj: Model,
        verb: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
    ) -> None:
        """Append to the audit trail; a save that changed nothing leaves no entry."""
        if before != after:
            record(f"{thing_of(obj)}.{verb}", target_of(obj), before=before, after=after, request=request)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """`save_model` has written the audit trail."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """`save_model` has written the audit trail."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """`delete_model` has written the audit trail."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """A row's history is its part of the audit trail."""
        row = self.get_object(request, object_id)
        trail = reverse("admin:accounts_auditentry_changelist", current_app=self.admin_site.name)
        return redirect(f"{trail}?target__startswith={thing_of(row)}+{row.pk}:")
