"""The page of re-pricings: propose a range of days, see the difference, apply or discard it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Member, configuring_required
from apps.dashboards.repricing_page import RepricingForm, repricing_context
from apps.dashboards.respond import page
from apps.pricing import contracts
from apps.pricing.models import Repricing


@require_http_methods(["GET", "HEAD", "POST"])
@configuring_required
def repricing(request: HttpRequest, member: Member) -> HttpResponse:
    """The unfinished re-pricing or the form of a new one, and what was decided before."""
    row = Repricing(organization_id=member.organization.pk, created_by=member.membership.user)
    form = RepricingForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        contracts.propose(row, request=request)
        return redirect("repricing")
    return page(request, "dashboards/repricing.html", repricing_context(form))


@require_POST
@configuring_required
def decide(request: HttpRequest, member: Member, repricing_id: int, decision: str) -> HttpResponse:
    """Apply or discard; says so where somebody else was quicker."""
    row = get_object_or_404(Repricing.objects.all(), pk=repricing_id)
    is_done = (contracts.apply if decision == "apply" else contracts.discard)(row, request=request)
    if not is_done:
        messages.warning(request, "It was decided upon already, or its difference is not shown yet.")
    return redirect("repricing")
