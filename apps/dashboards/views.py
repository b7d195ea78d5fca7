"""The pages of metrics: landing, dashboard and its panels, the catalogue, one metric, its CSV."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_safe

from apps.alerts.evaluate import states
from apps.dashboards import freshness
from apps.dashboards.access import Member, member_required
from apps.dashboards.charts import chart
from apps.dashboards.export import csv_of
from apps.dashboards.filters import filter_form
from apps.dashboards.metric_page import catalogue, exported, metric_context
from apps.dashboards.panels import BANDS, OVERVIEW
from apps.dashboards.selection import Selection, default_selection, read_selection
from apps.dashboards.tiles import metric_path, tiles, unfiltered
from apps.events.models import Batch
from apps.metrics.catalogue import METRICS
from apps.metrics.query import BadQuery
from apps.metrics.series import run


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page or, for htmx, the same template as a fragment; caches keep the two apart."""
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def selected(request: HttpRequest, member: Member) -> tuple[Selection, BadQuery | None]:
    """The selection of the address, or the default one and the reason why the address was refused."""
    now = timezone.now()
    try:
        return read_selection(request.GET, member.organization, now), None
    except BadQuery as error:
        return default_selection(member.organization, now), error


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """The start page for strangers; members go to their dashboard."""
    if request.user.is_authenticated:
        return redirect("dashboard")
    return page(
        request, "dashboards/landing.html", {"metrics": [METRICS[key] for key in OVERVIEW.bands[0].metrics]}
    )


@require_safe
@member_required
def dashboard(request: HttpRequest, member: Member) -> HttpResponse:
    """Filters, and a panel for each part that loads by itself."""
    selection, error = selected(request, member)
    query = selection.parameters()
    context = {
        "home": OVERVIEW,
        "selection": selection,
        "error": error,
        "form": filter_form(member.organization, selection, timezone.now()),
        "query": query,
        "badge": freshness.badge(member.organization),
        "is_waiting": not Batch.objects.exists(),
    }
    return page(request, "dashboards/dashboard.html", context, status=error.status if error else 200)


@require_safe
@member_required
def band(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """The tiles of a band, with the breached thresholds above the first one."""
    if slug not in BANDS:
        raise Http404
    selection, error = selected(request, member)
    now = timezone.now()
    judged = states(member.organization, now)
    context = {
        "band": BANDS[slug],
        "error": error,
        "is_first": BANDS[slug] is OVERVIEW.bands[0],
        "breaches": [(one, metric_path(one.metric.key)) for one in judged if one.is_breached],
        "judged": judged,
        "tiles": tiles(member.organization, selection, BANDS[slug].metrics, judged, now),
        "may_configure": member.may_configure,
    }
    return page(request, "dashboards/band.html", context, status=error.status if error else 200)


@require_safe
@member_required
def trends(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """The charts of a band."""
    if slug not in BANDS:
        raise Http404
    selection, error = selected(request, member)
    able = tuple(key for key in BANDS[slug].metrics if not unfiltered(METRICS[key], selection))
    answer = run(member.organization, selection.over_time(able), timezone.now()) if able else {}
    charts = [
        chart(series, selection.interval, href=selection.address(metric_path(key)))
        for key, series in answer.items()
    ]
    context = {"band": BANDS[slug], "error": error, "charts": charts, "selection": selection}
    return page(request, "dashboards/trends.html", context, status=error.status if error else 200)


@require_safe
@member_required
def metrics(request: HttpRequest, member: Member) -> HttpResponse:
    """Every metric with its meaning."""
    return page(request, "dashboards/metrics.html", {"lenses": catalogue()})


@require_safe
@member_required
def metric(request: HttpRequest, member: Member, key: str) -> HttpResponse:
    """One metric: chart, definition, every point's parts, and a break-down."""
    if key not in METRICS:
        raise Http404
    selection, error = selected(request, member)
    now = timezone.now()
    try:
        context = metric_context(member.organization, METRICS[key], selection, now)
    except BadQuery as refused:
        error = refused
        context = metric_context(
            member.organization, METRICS[key], default_selection(member.organization, now), now
        )
    context |= {
        "error": error,
        "may_configure": member.may_configure,
        "badge": freshness.badge(member.organization),
    }
    return page(request, "dashboards/metric.html", context, status=error.status if error else 200)


@require_GET
@member_required
def metric_csv(request: HttpRequest, member: Member, key: str) -> HttpResponse:
    """The points, or with `table=breakdown` the groups, that the page shows for the same address."""
    if key not in METRICS:
        raise Http404
    try:
        selection = read_selection(request.GET, member.organization, timezone.now())
        series = exported(
            member.organization, METRICS[key], selection, request.GET.get("table", ""), timezone.now()
        )
    except BadQuery as error:
        return HttpResponse(f"{error}\n", status=error.status, content_type="text/plain; charset=utf-8")
    groups = (selection.by,) if selection.by else ()
    response = HttpResponse(csv_of(series, groups), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{key}-{selection.start}-{selection.last}.csv"'
    return response


@require_safe
@member_required
def freshness_badge(request: HttpRequest, member: Member) -> HttpResponse:
    """The badge, polled; tells the page through HX-Trigger when numbers may have changed."""
    now = freshness.badge(member.organization)
    response = page(request, "dashboards/freshness.html", {"badge": now})
    if trigger := freshness.triggers(request.GET.get("seen", ""), now):
        response["HX-Trigger"] = trigger
    return response


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component once; only where DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    return page(
        request,
        "dashboards/styleguide.html",
        {"states": ("ok", "warning", "critical", "small_sample", "no_data")},
    )
