from __future__ import annotations

from django.urls import path

from apps.accounts import views

urlpatterns = [
    path("settings/", views.organization, name="settings"),
    path("settings/members/", views.members, name="members"),
    path("settings/members/invite/", views.invite, name="invite"),
    path("settings/members/<int:membership_id>/role/", views.change_role, name="member-role"),
    path("settings/members/<int:membership_id>/remove/", views.remove_member, name="member-remove"),
    path(
        "settings/invitations/<int:invitation_id>/revoke/", views.revoke_invitation, name="invitation-revoke"
    ),
    path("settings/projects/", views.projects, name="projects"),
    path("settings/projects/<str:public_id>/", views.project, name="project"),
    path("settings/keys/", views.keys, name="keys"),
    path("settings/keys/<int:key_id>/rotate/", views.rotate_key, name="key-rotate"),
    path("settings/keys/<int:key_id>/revoke/", views.revoke_key, name="key-revoke"),
    path("settings/audit/", views.audit_trail, name="audit"),
    path("switch/", views.switch_organization, name="switch-organization"),
    path("invitations/<str:token>/", views.accept_invitation, name="accept-invitation"),
]
