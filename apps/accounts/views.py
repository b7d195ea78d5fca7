"""Settings pages of an organisation: itself, its members, projects and keys."""

from __future__ import annotations

import zoneinfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import audit, invitations, roster
from apps.accounts.access import Member, configuring_required
from apps.accounts.forms import NEW_KEY, InviteForm, KeyForm, OrganizationForm, ProjectForm
from apps.accounts.keys import create_key
from apps.accounts.middleware import ORGANIZATION_SESSION_KEY, memberships_of, own_organizations
from apps.accounts.models import ApiKey, AuditEntry, Invitation, Membership, Project
from apps.accounts.projects import save_with_audit

ZONES = sorted(zoneinfo.available_timezones())


@require_http_methods(["GET", "POST"])
@configuring_required
def organization(request: HttpRequest, member: Member) -> HttpResponse:
    form = OrganizationForm(request.POST or None, instance=member.organization)
    if request.method == "POST" and form.is_valid():
        save_with_audit(form, "organization.change", request)
        messages.success(request, "Saved.")
        return redirect("settings")
    return render(request, "accounts/organization.html", {"form": form, "zones": ZONES})


@require_GET
@configuring_required
def members(request: HttpRequest, member: Member) -> HttpResponse:
    return render(request, "accounts/members.html", roster.page(member, InviteForm(member.membership)))


@require_POST
@configuring_required
def invite(request: HttpRequest, member: Member) -> HttpResponse:
    form = InviteForm(member.membership, request.POST)
    if not form.is_valid():
        return render(request, "accounts/members.html", roster.page(member, form), status=400)
    invitations.invite(form.cleaned_data["email"], form.cleaned_data["role"], member.membership.user, request)
    messages.success(request, f"The invitation to {form.cleaned_data['email']} is on its way.")
    return redirect("members")


@require_POST
@configuring_required
def revoke_invitation(request: HttpRequest, member: Member, invitation_id: int) -> HttpResponse:
    row = get_object_or_404(Invitation.objects.filter(accepted_at=None, revoked_at=None), pk=invitation_id)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    audit.record("member.uninvite", row.email, request=request)
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
    if invitation is None:
        return render(request, "accounts/invitation_gone.html", status=410)
    if request.method == "GET":
        return render(request, "accounts/invitation.html", invitations.letter(invitation))
    request.session[invitations.SESSION_KEY] = token
    if request.user.is_authenticated and request.user.email == invitation.email:
        invitations.accept_for(invitation, request.user, request)
        return redirect("dashboard")
    return redirect(invitations.next_step(invitation))


@require_http_methods(["GET", "POST"])
@configuring_required
def projects(request: HttpRequest, member: Member) -> HttpResponse:
    form = ProjectForm(request.POST or None, instance=Project())
    if request.method == "POST" and form.is_valid():
        save_with_audit(form, "project.create", request)
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
        save_with_audit(form, "project.change", request)
        messages.success(request, "Saved.")
        return redirect("projects")
    return render(request, "accounts/project.html", {"form": form, "project": row})


@require_http_methods(["GET", "POST"])
@configuring_required
def keys(request: HttpRequest, member: Member) -> HttpResponse:
    form = KeyForm(member.membership, request.POST or None)
    if request.method == "POST" and form.is_valid():
        row, key = create_key(created_by=member.membership.user, **form.cleaned_data)
        audit.record("key.create", str(row), request=request, after=audit.snapshot(row))
        request.session[NEW_KEY] = key
        return redirect("keys")
    shown = {
        "keys": roster.keys(),
        "form": form,
        "new_key": request.session.pop(NEW_KEY, None),
        "now": timezone.now(),
    }
    return render(request, "accounts/keys.html", shown)


@require_POST
@configuring_required
def rotate_key(request: HttpRequest, member: Member, key_id: int) -> HttpResponse:
    """A new key with the same rights; the old one works until it is revoked."""
    old = get_object_or_404(ApiKey.objects.select_related("project"), pk=key_id, revoked_at=None)
    row, key = create_key(
        project=old.project,
        name=old.name,
        scopes=old.scopes,
        is_test=old.is_test,
        expires_at=old.expires_at,
        created_by=member.membership.user,
    )
    audit.record("key.rotate", str(old), request=request, after=audit.snapshot(row))
    request.session[NEW_KEY] = key
    return redirect("keys")


@require_POST
@configuring_required
def revoke_key(request: HttpRequest, member: Member, key_id: int) -> HttpResponse:
    row = get_object_or_404(ApiKey.objects.all(), pk=key_id, revoked_at=None)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    audit.record("key.revoke", str(row), request=request)
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
    return render(
        request, "accounts/audit.html", {"entries": AuditEntry.objects.select_related("actor")[:200]}
    )
