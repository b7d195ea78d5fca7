"""What the frame around every page needs: navigation, the demo's badge, and which layout to extend."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from apps.accounts.access import Member, member_of
from apps.accounts.middleware import memberships_of
from apps.accounts.models import Project
from apps.dashboards.navigation import account_items, navigation

DEMO_ORGANIZATION = (
    "Everything in this organisation is made up: 60 days of a support assistant with three incidents to find."
)
DEMO_PROJECT = "The project {names} is made up and is counted here; choose another project to leave it out."


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` and `layout` for templates; a fragment is the same template without its frame."""
    is_fragment = bool(request.headers.get("HX-Request")) and not request.headers.get(
        "HX-History-Restore-Request"
    )
    layout = "base_fragment.html" if is_fragment else "base.html"
    member = member_of(request)
    if is_fragment:
        return {"layout": layout}
    return {
        "layout": layout,
        "shell": {
            "navigation": navigation(request.path, member),
            "account": account_items(request.path, has_several=_has_several(member)),
            "sign_out": _address("account_logout"),
            "demo": _demo(member, request.GET.getlist("project")),
        },
    }


def _has_several(member: Member | None) -> bool:
    return member is not None and len(memberships_of(member.membership.user_id)) > 1


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _demo(member: Member | None, projects: list[str]) -> str:
    """The sentence of the badge, empty where no demo data is shown."""
    if member is None:
        return ""
    if member.organization.is_demo:
        return DEMO_ORGANIZATION
    names = list(Project.objects.filter(is_demo=True).values_list("name", flat=True))
    shown = [name for name in names if not any(projects) or name in projects]
    return DEMO_PROJECT.format(names=", ".join(shown)) if shown else ""
