"""The active organisation: one context variable in the process, one ``SET LOCAL`` in the transaction.

Code and database hold the same key. Managers refuse to answer without the variable
(`NoOrganizationActive`), row-level security shows nothing without the setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connections, transaction

SETTING = "app.organization_id"

_active: ContextVar[int | None] = ContextVar("active_organization_id", default=None)


class NoOrganizationActive(RuntimeError):
    """Tenant data was asked for outside of any organisation."""


class NestedOrganization(RuntimeError):
    """A second organisation was opened inside the scope of another one."""


def active_organization_id() -> int | None:
    """The organisation whose scope is open, or None."""
    return _active.get()


def required_organization_id() -> int:
    """The organisation whose scope is open; raises `NoOrganizationActive` where there is none."""
    organization_id = _active.get()
    if organization_id is None:
        raise NoOrganizationActive("No organisation is active: open one with tenant(organization_id).")
    return organization_id


@contextmanager
def tenant(organization_id: int, *, using: str = "default", durable: bool = False) -> Iterator[None]:
    """Open a transaction in which only this organisation's rows exist.

    May be nested for the same organisation; another one raises `NestedOrganization`, because a
    released savepoint would leave the inner setting behind. The statement form is used since
    `set_config` is not propagated to the workers of a distributed database.
    """
    outer = _active.get()
    if outer is not None and outer != organization_id:
        raise NestedOrganization(
            f"Organisation {outer} is active; {organization_id} can not be opened inside it."
        )
    with transaction.atomic(using=using, durable=durable):
        if outer is None:
            with connections[using].cursor() as cursor:
                cursor.execute(f"SET LOCAL \"{SETTING}\" = '{int(organization_id)}'")
        token = _active.set(organization_id)
        try:
            yield
        finally:
            _active.reset(token)
