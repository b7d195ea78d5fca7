"""The pages of metrics: landing, dashboard and its panels, the catalogue, one metric, its CSV."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from apps.accounts.access import Member, member_required
from apps.dashboards import freshness
from apps.dashboards.bands import band_charts, band_context
from apps.dashboards.export import csv_of
from apps.dashboards.filters import filter_form
from apps.dashboards.metric_page import catalogue, exported, metric_context
from apps.dashboards.panels import BANDS, OVERVIEW
from apps.dashboards.respond import page, selected
from apps.dashboards.selection import read_selection
from apps.events.models import Batch
from apps.metrics.catalogue import METRICS
from apps.metrics.query import BadQuery

STATES = ("ok", "warning", "critical", "small_sample", "no_data")


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """The start page for strangers; members go to their dashboard."""
    if request.user.is_authenticated:
        return redirect("dashboard")
    leading = [METRICS[key] for key in OVERVIEW.bands[0].metrics]
    return page(request, "dashboards/landing.html", {"metrics": leading})


@require_safe
@member_required
def dashboard(request: HttpRequest, member: Member) -> HttpResponse:
    """Filters, and a panel for each part that loads by itself."""
    selection, error = selected(request, member)
    context = {
        "home": OVERVIEW,
        "selection": selection,
        "form": filter_form(member.organization, selection, timezone.now()),
        "query": selection.parameters(),
        "badge": freshness.badge(member.organization),
        "is_waiting": not Batch.objects.exists(),
    }
    return page(request, "dashboards/dashboard.html", context, error)


@require_safe
@member_required
def band(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """The tiles of a band, with the breached thresholds above the first one."""
    if slug not in BANDS:
        raise Http404
    selection, error = selected(request, member)
    context = band_context(member, BANDS[slug], selection, timezone.now())
    return page(request, "dashboards/band.html", context, error)


@require_safe
@member_required
def trends(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """The charts of a band."""
    if slug not in BANDS:
        raise Http404
    selection, error = selected(request, member)
    charts = band_charts(member, BANDS[slug], selection, timezone.now())
    return page(request, "dashboards/trends.html", {"band": BANDS[slug], "charts": charts}, error)


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
    context, refused = metric_context(member, METRICS[key], selection, timezone.now())
    context["badge"] = freshness.badge(member.organization)
    return page(request, "dashboards/metric.html", context, error or refused)


@require_GET
@member_required
def metric_csv(request: HttpRequest, member: Member, key: str) -> HttpResponse:
    """The points, or with `table=breakdown` the groups, that the page shows for the same address."""
    if key not in METRICS:
        raise Http404
    now, table = timezone.now(), request.GET.get("table", "")
    try:
        selection = read_selection(request.GET, member.organization, now)
        series = exported(member.organization, METRICS[key], selection, table, now)
    except BadQuery as error:
        return HttpResponse(f"{error}\n", status=error.status, content_type="text/plain; charset=utf-8")
    name = f"{key}-{selection.start}-{selection.last}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(
        csv_of(series, selection.by), content_type="text/csv; charset=utf-8", headers=disposition
    )


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
    return page(request, "dashboards/styleguide.html", {"states": STATES})
