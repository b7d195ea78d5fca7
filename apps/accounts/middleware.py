"""Opens the tenant for a request: from a signed-in member, or from an API key on `/api/`.

One of the two places where an organisation becomes active (the other is the task base class);
receivers open theirs themselves, after the body was read, so that a slow client holds no transaction.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from urllib.parse import unquote

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts.keys import Identity, identify, note_use
from apps.accounts.models import Membership, Organization
from apps.core.tenancy import tenant

ORGANIZATION_SESSION_KEY = "organization_id"


class TenantRequest(HttpRequest):
    """What views under the middleware receive."""

    organization: Organization | None
    membership: Membership | None
    identity: Identity | None


def key_of(request: HttpRequest) -> str | None:
    """The API key of a request: Bearer (also `Bearer%20`), Basic password, or `x-api-key`."""
    header = unquote(request.headers.get("Authorization", "").strip()) or ""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return request.headers.get("x-api-key")


def memberships_of(user_id: int) -> list[int]:
    """Ids of the organisations that a user belongs to, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM llm_memberships(%s)", [user_id])
        return [row[0] for row in cursor.fetchall()]


def active_organization(request: HttpRequest) -> int | None:
    """The organisation of the session if the user still belongs to it, else their first."""
    mine = memberships_of(int(request.user.pk or 0))
    chosen = request.session.get(ORGANIZATION_SESSION_KEY)
    if chosen in mine:
        return int(chosen)
    return mine[0] if mine else None


def own_organizations(request: HttpRequest) -> list[Organization]:
    """The organisations of the signed-in person, each read in its own scope; no other may be open."""
    found = []
    for organization_id in memberships_of(int(request.user.pk or 0)):
        with tenant(organization_id):
            found.append(Organization.objects.get())
    return found


class TenantMiddleware:
    """Runs the view, and the rendering of its template, inside the organisation's transaction."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponse:
        request.organization = request.membership = request.identity = None
        if request.path.startswith("/api/"):
            return self.answer_key(request)
        was_signed_in = request.user.is_authenticated
        response = self.answer_member(request)
        self.keep_out_of_stores(request, response, was_signed_in=was_signed_in)
        return response

    def answer_member(self, request: TenantRequest) -> HttpResponse:
        organization_id = None
        if request.user.is_authenticated and not request.path.startswith(BETWEEN_ORGANIZATIONS):
            organization_id = active_organization(request)
        if organization_id is None:
            return self.get_response(request)
        with tenant(organization_id):
            request.organization = Organization.objects.get()
            request.membership = Membership.objects.get(user=request.user)
            return self.answer(request)

    def answer_key(self, request: TenantRequest) -> HttpResponse:
        """API paths ignore cookies entirely: a key or nothing."""
        if request.path in RECEIVERS:
            return self.get_response(request)
        key = key_of(request)
        identity = identify(key) if key else None
        if identity is None:
            return self.get_response(request)
        note_use(identity)
        with tenant(identity.organization_id):
            request.identity = identity
            request.organization = Organization.objects.get()
            return self.answer(request)

    @staticmethod
    def keep_out_of_stores(request: HttpRequest, response: HttpResponse, *, was_signed_in: bool) -> None:
        """Signed-in pages stay in no cache, and a sign-out empties what the browser held."""
        if was_signed_in:
            response.headers.setdefault("Cache-Control", "no-store")
            if not request.user.is_authenticated:
                response["Clear-Site-Data"] = '"cache", "storage"'

    def answer(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 500:
            transaction.set_rollback(True)
        return response


# Joining another organisation, or changing to it, happens in that one's scope, not in the active one's.
BETWEEN_ORGANIZATIONS = ("/invitations/", "/switch/", "/accounts/login/", "/accounts/signup/")
# Receivers read their body first and open the organisation only to store.
RECEIVERS = frozenset({"/api/v1/events"})
