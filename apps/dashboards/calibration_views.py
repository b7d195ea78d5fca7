"""The pages of calibration. Labelling is for roles with text rights, choosing for those who may configure."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Member, configuring_required, member_required
from apps.conversations import labels, sample
from apps.conversations.models import SampledTurn
from apps.dashboards.calibration_page import CHOICES, choose, label_context, report_context
from apps.dashboards.respond import page

SAID: Final[dict[str, bool | None]] = {"yes": True, "no": False, "skip": None}


def _check(member: Member) -> None:
    if not member.may_read_text:
        raise Http404


@require_safe
@member_required
def label_page(request: HttpRequest, member: Member) -> HttpResponse:
    """The next turn to label."""
    _check(member)
    return page(request, "dashboards/calibration.html", label_context(member))


@require_POST
@member_required
def draw(request: HttpRequest, member: Member) -> HttpResponse:
    """Draw a new sample of turns."""
    _check(member)
    drawn = sample.draw(timezone.now())
    if drawn:
        messages.success(request, f"{drawn} turns were drawn.")
    else:
        messages.warning(request, "The last 30 days have no turn with a stored text that detection decides.")
    return redirect("calibration")


@require_POST
@member_required
def label(request: HttpRequest, member: Member, number: int, place: int) -> HttpResponse:
    """Keep a label and go on to the next turn."""
    _check(member)
    turn = SampledTurn.objects.filter(draw=number, place=place).first()
    answer = request.POST.get("answer", "")
    if turn is None or answer not in SAID:
        raise Http404
    labels.save_label(turn, member.membership.user_id, SAID[answer], timezone.now())
    return redirect("calibration")


@require_POST
@member_required
def undo(request: HttpRequest, member: Member) -> HttpResponse:
    """Take the last label back."""
    _check(member)
    if not labels.undo(member.membership.user_id):
        messages.warning(request, "There is no label to take back.")
    return redirect("calibration")


@require_safe
@member_required
def report(request: HttpRequest, member: Member) -> HttpResponse:
    """What the labels say of the detector, and the choices made so far."""
    _check(member)
    return page(request, "dashboards/calibration_report.html", report_context(member))


@require_POST
@configuring_required
def use(request: HttpRequest, member: Member) -> HttpResponse:
    """Put the refit, or with `choice=default` the default, in force; history is computed anew with it."""
    choice = request.POST.get("choice", "")
    refused = choose(choice, member.membership.user_id, request) if choice in CHOICES else "Choose one."
    if refused:
        messages.warning(request, refused)
    else:
        messages.success(request, "It is in force. Earlier sessions are being judged anew in the background.")
    return redirect("calibration-report")
