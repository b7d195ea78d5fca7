"""API keys: making, reading and checking them.

Form: ``lmk_live_<32 characters><6 checksum characters>`` (or ``lmk_test_``), base 62. 32 characters
carry 190 bits. The checksum (CRC-32) lets scanners tell a real key from a look-alike offline.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import ApiKey, Membership, Project, Scope, User
from apps.core.tenancy import tenant

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
# How long a rotated key goes on working, so that clients can change over.
ROTATION_OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a valid key stands for."""

    organization_id: int
    project_id: int
    key_id: int
    scopes: frozenset[str]
    is_test: bool

    def may(self, scope: str) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


def checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    return digits


def generate(*, is_test: bool = False) -> str:
    """A new random key with its checksum."""
    body = ("lmk_test_" if is_test else "lmk_live_") + "".join(
        secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH)
    )
    return body + checksum(body)


def is_well_formed(key: str) -> bool:
    """True where shape and checksum fit; says nothing of whether the key exists."""
    body = key[:-CHECKSUM_LENGTH]
    return (
        len(key) == 9 + SECRET_LENGTH + CHECKSUM_LENGTH
        and key.isascii()
        and key.startswith(("lmk_live_", "lmk_test_"))
        and checksum(body) == key[-CHECKSUM_LENGTH:]
    )


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def create_key(
    *,
    project: Project,
    name: str,
    scopes: list[str],
    is_test: bool = False,
    created_by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key in the active organisation; returns the row and the key, which is not kept."""
    key = generate(is_test=is_test)
    row = ApiKey(
        project=project,
        name=name,
        prefix=key[:13],
        digest=digest_of(key),
        scopes=scopes,
        is_test=is_test,
        created_by=created_by,
        expires_at=expires_at,
    )
    row.save()
    return row, key


def grantable_scopes(membership: Membership) -> frozenset[str]:
    """Scopes that a member may put on a key: never more than their own rights."""
    scopes: set[str] = {Scope.INGEST, Scope.READ}
    if membership.may_read_text:
        scopes.add(Scope.TEXT)
    if membership.may_configure and membership.may_read_text:
        scopes.add(Scope.ADMIN)
    return frozenset(scopes)


def check_scopes(membership: Membership, wanted: Collection[str], held: Collection[str] = ()) -> None:
    """Raise `ValidationError` where a member would grant what is beyond their rights; `held` may stay."""
    beyond = set(wanted) - set(held) - grantable_scopes(membership)
    if beyond:
        raise ValidationError(f"scopes: your role may not grant {', '.join(sorted(beyond))}.")


def check_expiry(expires_at: datetime | None) -> None:
    """Raise `ValidationError` for an end that is not in the future; None is a key without end."""
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError("expires_at: must be in the future; to end a key now, revoke it.")


def issue(membership: Membership, request: HttpRequest, **fields: Any) -> tuple[ApiKey, str]:
    """`create_key` on behalf of a member, with its entry in the audit trail."""
    row, key = create_key(created_by=membership.user, **fields)
    audit.record("key.created", audit.target_of(row), request=request, after=values_of(row))
    return row, key


def rotate(old: ApiKey, membership: Membership, request: HttpRequest) -> tuple[ApiKey, str]:
    """A new key like `old`, which itself ends after `ROTATION_OVERLAP` at the latest.

    A key that was to live for 90 days is followed by one that lives for 90 days from now. Raises
    `ValidationError` where the member may not grant the scopes of the old key.
    """
    check_scopes(membership, old.scopes)
    now, before = timezone.now(), values_of(old)
    made = issue(
        membership,
        request,
        project=old.project,
        name=old.name,
        scopes=list(old.scopes),
        is_test=old.is_test,
        expires_at=old.expires_at and now + (old.expires_at - old.created_at),
    )
    ends_at = now + ROTATION_OVERLAP
    old.expires_at = min(old.expires_at, ends_at) if old.expires_at else ends_at
    old.save(update_fields=["expires_at"])
    audit.record("key.rotated", audit.target_of(old), request=request, before=before, after=values_of(old))
    return made


def revoke(row: ApiKey, request: HttpRequest) -> None:
    """End a key: its next request is refused."""
    before = values_of(row)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    audit.record("key.revoked", audit.target_of(row), request=request, before=before, after=values_of(row))


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


def identify(key: str) -> Identity | None:
    """The identity of a key that is valid now, else None. Asks the database every time, so that a
    revocation works on the next request; writes `last_used_at` at most once a minute."""
    if not is_well_formed(key):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM llm_key_identity(%s, %s)", [digest_of(key), timezone.now()])
        row = cursor.fetchone()
    if row is None:
        return None
    organization_id, project_id, key_id, scopes, is_test = row
    return Identity(organization_id, project_id, key_id, frozenset(scopes), is_test)


def note_use(identity: Identity) -> None:
    """Write the key's last use, at most once a minute, in a transaction of its own."""
    now = timezone.now()
    seen = _last_noted.get(identity.key_id)
    if seen is not None and (now - seen).total_seconds() < 60:
        return
    _last_noted[identity.key_id] = now
    with tenant(identity.organization_id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_apikey SET last_used_at = %s WHERE (organization_id, id) IN (SELECT organization_id, id "
            "FROM accounts_apikey WHERE organization_id = %s AND id = %s FOR UPDATE SKIP LOCKED)",
            [now, identity.organization_id, identity.key_id],
        )


_last_noted: dict[int, datetime] = {}
