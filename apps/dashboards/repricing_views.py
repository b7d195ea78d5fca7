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
from apps.pricing.models import ONE_AT_A_TIME, Repricing


@require_http_methods(["GET", "HEAD", "POST"])
@configuring_required
def repricing(request: HttpRequest, member: Member) -> HttpResponse:
    """The unfinished re-pricing or the form of a new one, and what was decided before."""
    row = Repricing(organization_id=member.organization.pk, created_by=member.membership.user)
    form = RepricingForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        if contracts.propose(row, request=request):
            return redirect("repricing")
        form.add_error(None, ONE_AT_A_TIME)
    return page(request, "dashboards/repricing.html", repricing_context(form))


@require_POST
@configuring_required
def decide(request: HttpRequest, member: Member, repricing_id: int, decision: str) -> HttpResponse:
    """Apply or discard; says so where somebody else was quicker."""
    row = get_object_or_404(Repricing.objects.all(), pk=repricing_id)
    deed = contracts.apply if decision == "apply" else contracts.discard
    if not deed(row, by=member.membership.user, request=request):
        messages.warning(request, "It was decided upon already, or its difference is not shown yet.")
    return redirect("repricing")
