"""Admin of API keys: a key is shown once, on the page that answers its creation, and never again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from apps.accounts.keys import ROTATION_OVERLAP, check_expiry, check_scopes, issue, revoke, rotate
from apps.accounts.models import ApiKey, Membership, Scope
from apps.accounts.tenant_admin import ModelForm, TenantModelAdmin, membership_of


class ApiKeyForm(ModelForm):
    """A key's name, scopes and expiry; `membership` is who grants them."""

    membership: ClassVar[Membership]
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)
    for_tests = forms.BooleanField(
        required=False, label="Test key", help_text="Its events stay apart from the live ones (lmk_test_…)."
    )

    class Meta:
        model = ApiKey
        # The admin names the fields itself; project choices exist only inside an organisation.
        fields = ("name", "scopes", "expires_at")

    def clean_scopes(self) -> list[str]:
        scopes: list[str] = self.cleaned_data["scopes"]
        check_scopes(self.membership, scopes, held=self.instance.scopes or ())
        return scopes

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        check_expiry(expires_at)
        return expires_at


class ApiKeyAdmin(TenantModelAdmin):
    """Keys are revoked, never deleted: the ledger names them."""

    may_delete = False
    actions = None
    form = ApiKeyForm
    list_display = ("name", "prefix", "project", "scope_list", "kind", "state", "last_used_at")
    list_select_related = ("project",)
    list_filter = ("is_test",)
    search_fields = ("name", "prefix")
    readonly_fields = ("prefix", "kind", "state", "created_by", "created_at", "last_used_at", "revoked_at")

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="kind")
    def kind(self, key: ApiKey) -> str:
        return "test" if key.is_test else "live"

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        return "expired" if key.expires_at and key.expires_at <= timezone.now() else "active"

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ("project", "name", "scopes", "for_tests", "expires_at")
        scopes = "scopes" if self.has_change_permission(request, obj) else "scope_list"
        return ("name", "project", scopes, "expires_at", *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.readonly_fields if obj is None else ("project", "scope_list", *self.readonly_fields)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"membership": membership_of(request)})

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A revoked key stays as it is."""
        return super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, key = issue(
            membership_of(request),
            request,
            project=obj.project,
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            is_test=form.cleaned_data["for_tests"],
            expires_at=obj.expires_at,
        )
        obj.pk = row.pk
        obj.refresh_from_db()
        request.new_key = key  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.show_once(request, obj, request.new_key)  # type: ignore[attr-defined]

    def show_once(self, request: HttpRequest, row: ApiKey, key: str) -> HttpResponse:
        """The one page that ever holds the key; nothing may keep a copy of it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Copy your key now",
            "row": row,
            "key": key,
        }
        response = TemplateResponse(
            request, "admin/accounts/apikey/created.html", {**context, "opts": self.opts}
        )
        response["Cache-Control"] = "no-store"
        return response

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:key_id>/revoke/", wrap(self.revoke_view), name="accounts_apikey_revoke"),
            path("<int:key_id>/rotate/", wrap(self.rotate_view), name="accounts_apikey_rotate"),
            *super().get_urls(),
        ]

    def revoke_view(self, request: HttpRequest, key_id: int) -> HttpResponse:
        """Asks on GET, revokes on POST; the next request with the key is refused."""
        row = self.living_key(request, key_id)
        if request.method != "POST":
            return self.confirm(request, row, "Revoke", "Its next request is refused. There is no undo.")
        revoke(row, request)
        messages.success(request, f"The key {row.name} is revoked.")
        return redirect(reverse("admin:accounts_apikey_changelist", current_app=self.admin_site.name))

    def rotate_view(self, request: HttpRequest, key_id: int) -> HttpResponse:
        """Asks on GET; on POST makes a key like this one and lets this one end after the overlap."""
        row = self.living_key(request, key_id)
        if request.method != "POST":
            hours = int(ROTATION_OVERLAP.total_seconds() // 3600)
            return self.confirm(
                request, row, "Rotate", f"You get a new key; this one goes on working for {hours} hours."
            )
        try:
            new, key = rotate(row, membership_of(request), request)
        except ValidationError as error:
            raise PermissionDenied(error.message) from error
        return self.show_once(request, new, key)

    def living_key(self, request: HttpRequest, key_id: int) -> ApiKey:
        """The key, held for the transaction; 404 for a foreign one, 403 for one that is revoked."""
        row: ApiKey = self.get_object(request, str(key_id))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return ApiKey.objects.select_for_update().get(pk=row.pk)  # type: ignore[no-any-return]

    def confirm(self, request: HttpRequest, row: ApiKey, verb: str, consequence: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb} {row.name}?",
            "opts": self.opts,
            "original": row,
            "verb": verb,
            "consequence": consequence,
        }
        return TemplateResponse(request, "admin/accounts/apikey/confirm.html", context)
