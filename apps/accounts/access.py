"""Pages are for members: who is asking, in which organisation, with which rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from apps.accounts.models import Membership, Organization

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Member:
    """The signed-in person's place in the active organisation."""

    organization: Organization
    membership: Membership

    @property
    def may_configure(self) -> bool:
        return self.membership.may_configure

    @property
    def may_read_text(self) -> bool:
        return self.membership.may_read_text


MemberView = Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def member_of(request: HttpRequest) -> Member | None:
    """The member behind a request, None for a stranger or a person without an organisation."""
    organization: Organization | None = getattr(request, "organization", None)
    membership: Membership | None = getattr(request, "membership", None)
    return Member(organization, membership) if organization and membership else None


def member_required(view: MemberView[P]) -> View[P]:
    """Give the view its `Member`; strangers go to the sign-in page and come back."""

    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponse("Signed out.", status=403, content_type="text/plain")
            return redirect_to_login(request.get_full_path())
        member = member_of(request)
        if member is None:
            return render(request, "dashboards/no_organization.html", status=403)
        return view(request, member, *args, **kwargs)

    update_wrapper(checked, view)
    return checked


def configuring_required(view: MemberView[P]) -> View[P]:
    """As `member_required`; roles that may not configure get 404, as for an address that is not there."""

    def checked(
        request: HttpRequest, member: Member, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not member.may_configure:
            raise Http404
        return view(request, member, *args, **kwargs)

    update_wrapper(checked, view)
    return member_required(checked)
