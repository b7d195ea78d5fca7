"""Pages of the ledger: what was received, how to take a batch back, what was refused and its replay."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import audit
from apps.accounts.access import Member, configuring_required, member_required
from apps.dashboards import freshness, ledger
from apps.dashboards.respond import page
from apps.events import ledger as events_ledger
from apps.events.models import Batch, BatchState


@require_safe
@member_required
def batches(request: HttpRequest, member: Member) -> HttpResponse:
    """The ledger; its rows load again when something changed."""
    before = ledger.cursor(request.GET)
    rows, older = ledger.batches(member.organization, before)
    context = {
        "rows": rows,
        "before": before,
        "older": f"/events/ledger/?before={older}" if older else "",
        "newer": "/events/ledger/" if before else "",
        "failed": freshness.failed_batches(),
        "badge": freshness.badge(member.organization),
        "may_configure": member.may_configure,
    }
    return page(request, "dashboards/ledger.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@configuring_required
def withdraw(request: HttpRequest, member: Member, batch_id: int) -> HttpResponse:
    """GET asks, POST withdraws: the batch's events and everything derived from them go."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise Http404
    if request.method != "POST":
        return page(
            request, "dashboards/withdraw.html", {"batch": batch, "zone": member.organization.timezone}
        )
    if batch.state in ledger.WITHDRAWABLE:
        events_ledger.withdraw(batch_id)
        state = {"state": batch.state}
        audit.record(
            "batch.withdrawn",
            f"batch {batch_id}",
            before=state,
            after={"state": BatchState.WITHDRAWING},
            request=request,
        )
        messages.success(request, f"Batch {batch_id} is being withdrawn; the numbers follow within seconds.")
    return redirect("ledger")


@require_safe
@member_required
def rejected(request: HttpRequest, member: Member) -> HttpResponse:
    """Refused events with the reason; the text only for roles that may read it."""
    before, code = ledger.cursor(request.GET), request.GET.get("code", "")[:40]
    rows, older = ledger.rejected(member.organization, before, code, may_read_text=member.may_read_text)
    context = {
        "rows": rows,
        "codes": ledger.codes_with_paths(),
        "code": code,
        "before": before,
        "older": ledger.rejected_path(code, older) if older else "",
        "newer": ledger.rejected_path(code) if before else "",
        "replayable": len(events_ledger.replayable()) if member.may_configure else 0,
        "badge": freshness.badge(member.organization),
        "may_configure": member.may_configure,
        "may_read_text": member.may_read_text,
    }
    return page(request, "dashboards/rejected.html", context)


@require_POST
@configuring_required
def replay(request: HttpRequest, member: Member) -> HttpResponse:
    """Send refused events through the door again: those that are ticked, or all."""
    chosen = [
        int(one) for one in request.POST.getlist("ids") if one.isascii() and one.isdigit() and len(one) <= 18
    ]
    is_all = request.POST.get("which") == "all"
    if not chosen and not is_all:
        messages.warning(request, "Tick the events to replay first.")
        return redirect("rejected")
    verdicts = events_ledger.replay(None if is_all else chosen)
    sent, accepted = sum(one.sent for one in verdicts), sum(one.accepted for one in verdicts)
    duplicate, refused = sum(one.duplicate for one in verdicts), sum(one.rejected for one in verdicts)
    audit.record(
        "rejected_events.replayed",
        f"{sent} events",
        after={"accepted": accepted, "rejected": refused},
        request=request,
    )
    tell = messages.warning if refused else messages.success
    tell(
        request,
        f"Replayed {sent:,}: {accepted:,} accepted, {duplicate:,} already known, {refused:,} refused again.",
    )
    return redirect("rejected")
