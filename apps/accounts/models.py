"""Who may do what: users, organisations, memberships, projects, API keys, invitations, audit.

`User` is the only table of this app without an organisation: a person may belong to several.
"""

from __future__ import annotations

import secrets
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.core.models import ActiveOrganization, TenantModel


def new_organization_public_id() -> str:
    return f"org_{secrets.token_hex(8)}"


def new_project_public_id() -> str:
    return f"prj_{secrets.token_hex(8)}"


def validate_time_zone(name: str) -> None:
    """Refuse anything that is not an IANA time zone of this machine's database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"timezone: {name!r} is not an IANA time zone.")


class PeopleManager(UserManager["User"]):
    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        return super().create_user(username=email.lower(), email=email.lower(), password=password, **extra)

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        return super().create_superuser(
            username=email.lower(), email=email.lower(), password=password, **extra
        )


class User(AbstractUser):
    """A person who signs in with an e-mail address. Staff are operators of the installation."""

    email = models.EmailField("e-mail address", unique=True)

    objects: ClassVar[PeopleManager] = PeopleManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    PRODUCT = "product", "Product"
    ENGINEERING = "engineering", "Engineering"
    FINANCE = "finance", "Finance"
    EXECUTIVE = "executive", "Executive"


CONFIGURING_ROLES = frozenset({Role.OWNER, Role.ADMIN})
TEXT_ROLES = frozenset({Role.OWNER, Role.ADMIN, Role.PRODUCT, Role.ENGINEERING})


class OrganizationManager(models.Manager["Organization"]):
    """Only the active organisation is visible."""

    def get_queryset(self) -> models.QuerySet[Organization]:
        return super().get_queryset().filter(pk=ActiveOrganization())


class Organization(models.Model):
    """A tenant. Its days are the days of `timezone`."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=new_organization_public_id, editable=False
    )
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_demo = models.BooleanField(default=False, editable=False)
    # Rule of a return or take-back: hours after a session's last event.
    return_window_hours = models.PositiveSmallIntegerField(
        default=24, validators=[MinValueValidator(1), MaxValueValidator(168)]
    )
    retention_days = models.PositiveSmallIntegerField(
        default=400, validators=[MinValueValidator(35), MaxValueValidator(400)]
    )
    # Set when a setting changed that facts were computed with; cleared by the rebuild.
    recompute_requested_at = models.DateTimeField(null=True, editable=False)
    # Facts of events before this have been rebuilt since; null before the rebuild's first step.
    recomputed_to = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationManager()

    class Meta:
        verbose_name = verbose_name_plural = "organisation"

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)


class Membership(TenantModel):
    """A user's role in an organisation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "member"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "user"], name="accounts_membership_once"),
            models.UniqueConstraint(fields=["organization_id", "id"], name="accounts_membership_key"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    @property
    def may_configure(self) -> bool:
        return self.role in CONFIGURING_ROLES

    @property
    def may_read_text(self) -> bool:
        return self.role in TEXT_ROLES


class PrivacyMode(models.TextChoices):
    KEEP = "keep", "Keep text as sent"
    REDACT = "redact", "Replace personal data before storing (default)"
    DROP = "drop", "Never store text"


class Project(TenantModel):
    """Where events go in: one assistant, or one product of the organisation."""

    public_id = models.CharField(max_length=40, unique=True, default=new_project_public_id, editable=False)
    name = models.CharField(max_length=120)
    privacy_mode = models.CharField(max_length=8, choices=PrivacyMode.choices, default=PrivacyMode.REDACT)
    idle_gap_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    grounding_expected = models.BooleanField(
        default=False, help_text="Expect every answer to cite sources, also where none were attached."
    )
    is_regulated = models.BooleanField(
        default=False, help_text="Regulated workflow: the grounding target is 0.9."
    )
    is_demo = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "name"], name="accounts_project_name_once"),
            models.UniqueConstraint(fields=["organization_id", "id"], name="accounts_project_key"),
        ]

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    INGEST = "ingest", "Send events"
    READ = "read", "Read metrics and sessions (no text)"
    TEXT = "text", "Read conversation text"
    ADMIN = "admin", "Everything"


class ApiKey(TenantModel):
    """A key of one project. The key itself is shown once and stored only as a SHA-256 digest."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=24, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope.choices))
    is_test = models.BooleanField(default=False, editable=False)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "id"], name="accounts_apikey_key"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Invitation(TenantModel):
    """An invitation bound to one address, usable once; only the token's digest is stored."""

    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"{self.email} as {self.get_role_display()}"


class AuditEntry(TenantModel):
    """One change of configuration or access. The application role may insert and read, never change."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=254)
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["organization_id", "-at"], name="accounts_audit_by_time")]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class OperatorAccess(models.Model):
    """One request of an operator to the operators' site; insert and read only, like the audit trail.

    Global on purpose: it is the installation's record of its own staff, and no tenant's data.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=2000)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "operator accesses"
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
