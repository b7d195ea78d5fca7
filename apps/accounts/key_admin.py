"""Admin of API keys: a key is shown once, on the page that answers its creation, and never again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from apps.accounts.keys import create_key
from apps.accounts.models import ApiKey, Membership, Scope, User
from apps.accounts.tenant_admin import ModelForm, TenantModelAdmin, membership_of

# How long a rotated key goes on working, so that clients can change over.
OVERLAP = timedelta(hours=24)


def grantable_scopes(membership: Membership) -> frozenset[str]:
    """Scopes that a member may put on a key: never more than their own rights."""
    scopes: set[str] = {Scope.INGEST, Scope.READ}
    if membership.may_read_text:
        scopes.add(Scope.TEXT)
    if membership.may_configure and membership.may_read_text:
        scopes.add(Scope.ADMIN)
    return frozenset(scopes)


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
        beyond = set(scopes) - set(self.instance.scopes or ()) - grantable_scopes(self.membership)
        if beyond:
            raise ValidationError(f"scopes: your role may not grant {', '.join(sorted(beyond))}.")
        return scopes

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise ValidationError("expires_at: must be in the future; to end a key now, revoke it.")
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
        row, key = create_key(
            project=obj.project,
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            is_test=form.cleaned_data["for_tests"],
            created_by=actor_of(request),
            expires_at=obj.expires_at,
        )
        obj.pk = row.pk
        obj.refresh_from_db()
        self.note(request, obj, "created", None, values_of(obj))
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
        before = values_of(row)
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        self.note(request, row, "revoked", before, values_of(row))
        messages.success(request, f"The key {row.name} is revoked.")
        return redirect(reverse("admin:accounts_apikey_changelist", current_app=self.admin_site.name))

    def rotate_view(self, request: HttpRequest, key_id: int) -> HttpResponse:
        """Asks on GET; on POST makes a key like this one and lets this one end after the overlap."""
        row = self.living_key(request, key_id)
        if not set(row.scopes) <= grantable_scopes(membership_of(request)):
            raise PermissionDenied("Your role may not grant the scopes of this key.")
        if request.method != "POST":
            hours = int(OVERLAP.total_seconds() // 3600)
            return self.confirm(
                request, row, "Rotate", f"You get a new key; this one goes on working for {hours} hours."
            )
        new, key = create_key(
            project=row.project,
            name=row.name,
            scopes=list(row.scopes),
            is_test=row.is_test,
            created_by=actor_of(request),
            expires_at=row.expires_at,
        )
        before = values_of(row)
        ends_at = timezone.now() + OVERLAP
        row.expires_at = min(row.expires_at, ends_at) if row.expires_at else ends_at
        row.save(update_fields=["expires_at"])
        self.note(request, row, "rotated", before, values_of(row))
        self.note(request, new, "created", None, values_of(new))
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


def actor_of(request: HttpRequest) -> User | None:
    return request.user if request.user.is_authenticated else None


def values_of(row: ApiKey) -> dict[str, Any]:
    """A key as the audit trail shows it: everything but the digest."""
    return {
        "project": row.project_id,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": ", ".join(row.scopes),
        "is_test": row.is_test,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
    }
