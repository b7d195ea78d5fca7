"""Base of every table that belongs to an organisation."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from apps.core.tenancy import NestedOrganization, required_organization_id


class TenantQuerySet(models.QuerySet[Any]):
    """Rows of the active organisation; writes can not name another one."""

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Any]:
        objs = list(objs)
        for obj in objs:
            obj.claim_for_active_organization()
        return super().bulk_create(objs, *args, **kwargs)


class ActiveOrganization(models.Expression):
    """The active organisation's id, looked up when a query is compiled, not when it is written down.

    So a form may name a queryset at import time, and a query without an active organisation still
    raises `NoOrganizationActive` before it reaches the database.
    """

    output_field = models.BigIntegerField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return "%s", (required_organization_id(),)


class TenantManager(models.Manager[Any]):
    """Fails closed: without an active organisation every query raises `NoOrganizationActive`."""

    def get_queryset(self) -> TenantQuerySet:
        return TenantQuerySet(self.model, using=self._db).filter(organization_id=ActiveOrganization())


class TenantModel(models.Model):
    """A row of one organisation. `organization_id` is filled from the active scope."""

    organization_id = models.BigIntegerField(editable=False)

    objects = TenantManager()

    class Meta:
        abstract = True

    def claim_for_active_organization(self) -> None:
        """Set the owner, or refuse a row that belongs to another organisation."""
        active = required_organization_id()
        if self.organization_id is None:
            self.organization_id = active
        elif self.organization_id != active:
            raise NestedOrganization("This row belongs to another organisation.")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.claim_for_active_organization()
        super().save(*args, **kwargs)

    def validate_constraints(self, exclude: Any = None) -> None:
        """Check uniqueness within the organisation, also from forms, which show neither it nor a row's state.

        A constraint is skipped when one of its fields, or of those in its condition, is excluded; and
        every form excludes what can not be edited.
        """
        self.claim_for_active_organization()
        shown = {field.name for field in self._meta.concrete_fields if field.editable}
        super().validate_constraints(exclude=shown & set(exclude or ()))

    @classmethod
    def new(cls, **fields: Any) -> Self:
        """An unsaved row of the active organisation, validated."""
        row = cls(**fields)
        row.claim_for_active_organization()
        row.full_clean()
        return row
