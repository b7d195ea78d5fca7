"""Answering with a page, and reading what it should show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from apps.accounts.access import Member
from apps.dashboards.selection import Selection, default_selection, read_selection
from apps.metrics.query import BadQuery


def page(
    request: HttpRequest, template: str, context: dict[str, Any], error: BadQuery | None = None
) -> HttpResponse:
    """A page or, for htmx, the same template as a fragment; caches keep the two apart.

    With `error` the page says what was wrong with the address, under that error's status.
    """
    status = error.status if error else 200
    response = render(request, template, {**context, "error": error}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def selected(request: HttpRequest, member: Member) -> tuple[Selection, BadQuery | None]:
    """The selection of the address, or the default one and the reason why the address was refused."""
    now = timezone.now()
    try:
        return read_selection(request.GET, member.organization, now), None
    except BadQuery as error:
        return default_selection(member.organization, now), error
