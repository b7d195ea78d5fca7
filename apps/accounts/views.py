"""Settings pages of an organisation: itself, its members, projects and keys."""

from __future__ import annotations

import zoneinfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import audit, handover, invitations, roster
from apps.accounts.access import Member, configuring_required
from apps.accounts.forms import InviteForm, KeyForm, OrganizationForm, ProjectForm
from apps.accounts.keys import issue, revoke, rotate
from apps.accounts.middleware import ORGANIZATION_SESSION_KEY, memberships_of, own_organizations
from apps.accounts.models import ApiKey, AuditEntry, Invitation, Membership, Organization, Project
from apps.accounts.projects import save_with_audit

ZONES = sorted(zoneinfo.available_timezones())


@require_http_methods(["GET", "POST"])
@configuring_required
def organization(request: HttpRequest, member: Member) -> HttpResponse:
    # A row of its own: a form writes into its row what it then may refuse, and the frame shows the name.
    form = OrganizationForm(request.POST or None, instance=Organization.objects.get())
    if request.method == "POST" and form.is_valid():
        save_with_audit(form, request)
        messages.success(request, "Saved.")
        return redirect("settings")
    return render(request, "accounts/organization.html", {"form": form, "zones": ZONES})


@require_GET
@configuring_required
def members(request: HttpRequest, member: Member) -> HttpResponse:
    link = handover.take(request, handover.INVITATION_LINK)
    context = {**roster.page(member, InviteForm(member.membership)), "invitation_link": link}
    return render(request, "accounts/members.html", context)


@require_POST
@configuring_required
def invite(request: HttpRequest, member: Member) -> HttpResponse:
    form = InviteForm(member.membership, request.POST)
    if not form.is_valid():
        return render(request, "accounts/members.html", roster.page(member, form), status=400)
    email = form.cleaned_data["email"]
    sent = invitations.invite(email, form.cleaned_data["role"], member.membership.user, request)
    handover.keep(request, handover.INVITATION_LINK, sent.link)
    if sent.is_mailed:
        messages.success(request, f"The invitation to {email} is on its way.")
    else:
        messages.error(request, f"The e-mail to {email} could not be sent; the invitation stands.")
    return redirect("members")


@require_POST
@configuring_required
def revoke_invitation(request: HttpRequest, member: Member, invitation_id: int) -> HttpResponse:
    row = get_object_or_404(Invitation.objects.filter(accepted_at=None, revoked_at=None), pk=invitation_id)
    invitations.revoke(row, request)
    messages.success(request, f"The invitation to {row.email} no longer works.")
    return redirect("members")


@require_POST
@configuring_required
def change_role(request: HttpRequest, member: Member, membership_id: int) -> HttpResponse:
    row = get_object_or_404(Membership.objects.select_related("user"), pk=membership_id)
    problem = roster.change_role(member.membership, row, request.POST.get("role", ""), request)
    (messages.error if problem else messages.success)(request, problem or "Saved.")
    return redirect("members")


@require_POST
@configuring_required
def remove_member(request: HttpRequest, member: Member, membership_id: int) -> HttpResponse:
    row = get_object_or_404(Membership.objects.select_related("user"), pk=membership_id)
    problem = roster.remove(member.membership, row, request)
    (messages.error if problem else messages.success)(
        request, problem or f"{row.user.email} has no access any more."
    )
    return redirect("members")


@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites; POST joins with the invited address, or goes on to sign in or up with it."""
    invitation = invitations.find_invitation(token)
    state = invitations.state_of(invitation) if invitation else "unknown"
    if invitation is None or state != "open":
        return render(request, "accounts/invitation_gone.html", {"state": state}, status=410)
    is_other_person = request.user.is_authenticated and request.user.email != invitation.email
    if request.method == "GET" or is_other_person:
        context = {**invitations.letter(invitation), "is_other_person": is_other_person}
        return render(request, "accounts/invitation.html", context, status=409 if is_other_person else 200)
    if request.user.is_authenticated:
        invitations.accept_for(invitation, request.user, request)
        return redirect("dashboard")
    invitations.follow(request, token)
    return redirect(invitations.next_step(invitation))


@require_http_methods(["GET", "POST"])
@configuring_required
def projects(request: HttpRequest, member: Member) -> HttpResponse:
    form = ProjectForm(request.POST or None, instance=Project())
    if request.method == "POST" and form.is_valid():
        save_with_audit(form, request)
        messages.success(request, f"The project {form.instance.name} is ready; make a key for it.")
        return redirect("projects")
    rows = Project.objects.order_by("name")
    return render(request, "accounts/projects.html", {"projects": rows, "form": form})


@require_http_methods(["GET", "POST"])
@configuring_required
def project(request: HttpRequest, member: Member, public_id: str) -> HttpResponse:
    row = get_object_or_404(Project.objects.all(), public_id=public_id)
    form = ProjectForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        save_with_audit(form, request)
        messages.success(request, "Saved.")
        return redirect("projects")
    return render(request, "accounts/project.html", {"form": form, "project": row})


@require_http_methods(["GET", "POST"])
@configuring_required
def keys(request: HttpRequest, member: Member) -> HttpResponse:
    form = KeyForm(member.membership, request.POST or None)
    if request.method == "POST" and form.is_valid():
        _, key = issue(member.membership, request, **form.cleaned_data)
        handover.keep(request, handover.NEW_KEY, key)
        return redirect("keys")
    shown = {
        "keys": roster.keys(),
        "form": form,
        "new_key": handover.take(request, handover.NEW_KEY),
        "now": timezone.now(),
    }
    return render(request, "accounts/keys.html", shown)


@require_POST
@configuring_required
def rotate_key(request: HttpRequest, member: Member, key_id: int) -> HttpResponse:
    """A new key with the same rights; the old one works for another day."""
    old = get_object_or_404(ApiKey.objects.select_related("project"), pk=key_id, revoked_at=None)
    try:
        _, key = rotate(old, member.membership, request)
    except ValidationError as error:
        messages.error(request, error.message)
        return redirect("keys")
    handover.keep(request, handover.NEW_KEY, key)
    messages.success(request, f"{old} works until {old.expires_at:%-d %b %Y %H:%M} UTC; change over by then.")
    return redirect("keys")


@require_POST
@configuring_required
def revoke_key(request: HttpRequest, member: Member, key_id: int) -> HttpResponse:
    row = get_object_or_404(ApiKey.objects.all(), pk=key_id, revoked_at=None)
    revoke(row, request)
    messages.success(request, f"{row} no longer works.")
    return redirect("keys")


@require_http_methods(["GET", "POST"])
def switch_organization(request: HttpRequest) -> HttpResponse:
    """List one's own organisations; POST makes one of them the active one."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.method == "GET":
        return render(request, "accounts/switch.html", {"organizations": own_organizations(request)})
    wanted = request.POST.get("organization", "")
    if not wanted.isdigit() or int(wanted) not in memberships_of(request.user.pk):
        raise Http404
    request.session[ORGANIZATION_SESSION_KEY] = int(wanted)
    return redirect("dashboard")


@require_GET
@configuring_required
def audit_trail(request: HttpRequest, member: Member) -> HttpResponse:
    entries = AuditEntry.objects.select_related("actor")[:200]
    return render(request, "accounts/audit.html", {"lines": [audit.line(entry) for entry in entries]})
