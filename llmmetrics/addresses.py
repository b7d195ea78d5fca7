"""Addresses that no client means: PostgreSQL can not hold NUL, so none may reach a query."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from apps.events.problems import Problem, problem_response

NUL = Problem(400, "nul_in_address", "address: must not contain NUL characters.")


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: 400 for a path or a query with NUL, a problem for the API and the page of 400 elsewhere."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or "\0" in query or "%00" in query:
            if request.path_info.startswith("/api/"):
                return problem_response(NUL)
            return HttpResponse(render_to_string("400.html", {"detail": NUL.detail}), status=NUL.status)
        return get_response(request)

    return middleware
