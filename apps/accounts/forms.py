"""Forms of sign-up, organisation, members, projects and keys."""

from __future__ import annotations

import zoneinfo
from typing import Any

from allauth.account.forms import SignupForm
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.invitations import accept_for, open_invitation
from apps.accounts.models import Membership, Organization, Project, Role, Scope, User, validate_time_zone
from apps.accounts.provision import create_organization

TIME_ZONES = "time-zones"
NEW_KEY = "new_key"


class SignUpForm(SignupForm):  # type: ignore[misc]
    """A person, and either a new organisation with project and key, or the one that invited them."""

    organization_name = forms.CharField(label="Organisation", max_length=120, required=False)
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

    @property
    def zones(self) -> list[str]:
        """Suggestions for the time zone."""
        return sorted(zoneinfo.available_timezones())

    def save(self, request: HttpRequest) -> User | None:
        """Create everything in one transaction; None where the address is known already (told by mail)."""
        with transaction.atomic():
            user: User | None = super().save(request)
            if user is None:
                return None
            invitation = open_invitation(request)
            if invitation is not None and invitation.email == user.email:
                accept_for(invitation, user, request)
                return user
            made = create_organization(
                name=self.cleaned_data["organization_name"] or name_from(user.email),
                owner=user,
                timezone=self.cleaned_data["timezone"],
            )
        request.session[NEW_KEY] = made.keys["ingest_key"]
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
    """A new key; who has no text rights can not grant them."""

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
        if {Scope.TEXT, Scope.ADMIN} & set(scopes) and not self.membership.may_read_text:
            raise ValidationError("scopes: your role may not grant the reading of conversation text.")
        return scopes


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
