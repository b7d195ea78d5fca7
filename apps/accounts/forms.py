"""Forms of sign-up, organisation, members, projects and keys."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Any

from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from apps.accounts import handover
from apps.accounts.invitations import open_invitation
from apps.accounts.keys import check_expiry, check_scopes
from apps.accounts.models import (
    Invitation,
    Membership,
    Organization,
    Project,
    Role,
    Scope,
    User,
    validate_time_zone,
)
from apps.accounts.provision import create_organization

TIME_ZONES = "time-zones"


class SignUpForm(SignupForm):  # type: ignore[misc]
    """A person, and a new organisation with project and key.

    Who follows an invitation gets no organisation of their own: they join at their first sign-in,
    when the address is proven.
    """

    organization_name = forms.CharField(
        label="Organisation",
        max_length=120,
        required=False,
        help_text="Left empty, it is named after your address.",
    )
    timezone = forms.CharField(
        label="Time zone",
        max_length=64,
        initial="UTC",
        validators=[validate_time_zone],
        help_text="Days, weeks and months in every number are those of this zone.",
        widget=forms.TextInput(
            attrs={"list": TIME_ZONES, "data-browser-timezone": "", "autocomplete": "off"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "form-control")
            field.widget.attrs.pop("placeholder", None)
            # The honeypot is hidden by class: the strict policy admits no inline style.
            field.widget.attrs.pop("style", None)
        request: HttpRequest | None = context.request
        self.invitation: Invitation | None = open_invitation(request) if request else None
        if self.invitation is not None:
            del self.fields["organization_name"], self.fields["timezone"]
            self.fields["email"].initial = self.invitation.email

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if self.invitation is not None and email.lower() != self.invitation.email:
            raise ValidationError(f"email: the invitation is for {self.invitation.email} only.")
        return email

    @property
    def zones(self) -> list[str]:
        """Suggestions for the time zone."""
        return sorted(zoneinfo.available_timezones())

    def save(self, request: HttpRequest) -> User:
        """Create everything in one transaction; called only for an address that is new here."""
        with transaction.atomic():
            user: User = super().save(request)
            if self.invitation is not None:
                return user
            made = create_organization(
                name=self.cleaned_data["organization_name"] or name_from(user.email),
                owner=user,
                timezone=self.cleaned_data["timezone"],
            )
        handover.keep(request, handover.NEW_KEY, made.keys["ingest_key"])
        return user


PUBLIC_MAIL = frozenset(
    {
        "gmail",
        "googlemail",
        "outlook",
        "hotmail",
        "yahoo",
        "icloud",
        "proton",
        "protonmail",
        "gmx",
        "web",
        "live",
    }
)


def name_from(email: str) -> str:
    """An organisation's name from the address: the domain's, or the person's at public mail hosts."""
    person, _, domain = email.partition("@")
    label = domain.split(".")[0]
    return (person if label in PUBLIC_MAIL or not label else label).replace("-", " ").title()[:120]


class StyledForm(forms.BaseForm):
    """Bootstrap's classes on every field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
                continue
            widget.attrs.setdefault(
                "class", "form-select" if isinstance(widget, forms.Select) else "form-control"
            )


class OrganizationForm(StyledForm, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Organization
        fields = ("name", "timezone", "return_window_hours")
        widgets = {"timezone": forms.TextInput(attrs={"list": TIME_ZONES, "autocomplete": "off"})}


class ProjectForm(StyledForm, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Project
        fields = ("name", "privacy_mode", "idle_gap_minutes", "grounding_expected", "is_regulated")


class KeyForm(StyledForm, forms.Form):
    """A new key; nobody grants more than their own rights."""

    name = forms.CharField(max_length=80)
    project = forms.ModelChoiceField(queryset=Project.objects.order_by("name"), empty_label=None)
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=[Scope.INGEST], widget=forms.CheckboxSelectMultiple
    )
    is_test = forms.BooleanField(
        label="Test key", required=False, help_text="Everything sent with it counts as environment test."
    )
    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The key stops working at this day's begin (UTC).",
    )

    def __init__(self, membership: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.membership = membership

    def clean_scopes(self) -> list[str]:
        scopes: list[str] = self.cleaned_data["scopes"]
        check_scopes(self.membership, scopes)
        return scopes

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        check_expiry(expires_at)
        return expires_at


class InviteForm(StyledForm, forms.Form):
    """An address and a role; only owners make owners."""

    email = forms.EmailField(label="E-mail address")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.PRODUCT)

    def __init__(self, membership: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.membership = membership

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if Membership.objects.filter(user__email=email).exists():
            raise ValidationError("email: this person is a member already.")
        return email

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if role == Role.OWNER and self.membership.role != Role.OWNER:
            raise ValidationError("role: only an owner can make owners.")
        return role
