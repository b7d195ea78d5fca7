"""Invitations where something is in the way: mail that fails, links that no longer work, another person."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django.utils import timezone

from apps.accounts.middleware import memberships_of
from apps.accounts.models import AuditEntry, Invitation, Role, User
from apps.core.tenancy import tenant
from tests.accounts.test_sign_up import member, sign_up
from tests.conftest import unique

LINK = re.compile(r"/invitations/[\w-]{43}/")


class DeadMail(BaseEmailBackend):
    """A mail server that is down."""

    def send_messages(self, email_messages: Any) -> NoReturn:
        raise ConnectionRefusedError("no mail server")


@pytest.fixture
def owner(organization: Any) -> Client:
    return member(organization, Role.OWNER)


@pytest.fixture
def dead_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DeadMail"


def invite(client: Client, email: str, role: str = "product") -> Any:
    return client.post("/settings/members/invite/", {"email": email, "role": role}, follow=True)


def link_on(answer: Any) -> str:
    found = LINK.search(answer.content.decode())
    assert found
    return found.group()


@pytest.mark.usefixtures("dead_mail")
def test_an_invitation_stands_where_the_mail_fails(owner: Client, organization: Any, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "none"
    email = f"{unique('eve')}@example.com"
    answer = invite(owner, email)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f"The e-mail to {email} could not be sent; the invitation stands." in page
    assert "Send again" in page
    link = link_on(answer)
    assert not LINK.search(owner.get("/settings/members/").content.decode()), "the link is shown once"
    guest = Client()
    guest.post(link)
    sign_up(guest, email)
    assert memberships_of(User.objects.get(email=email).pk) == [organization.organization.id]


def test_sending_again_makes_a_new_link_and_ends_the_old_one(
    owner: Client, organization: Any, settings: Any
) -> None:
    email = f"{unique('eve')}@example.com"
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.DeadMail"
    first = link_on(invite(owner, email))
    settings.EMAIL_BACKEND = backend
    answer = invite(owner, email)
    assert f"The invitation to {email} is on its way." in answer.content.decode()
    (sent,) = [message for message in mail.outbox if message.to == [email]]
    assert link_on(answer) in sent.body
    gone = Client().get(first)
    assert gone.status_code == 410
    assert "was withdrawn" in gone.content.decode()
    with tenant(organization.organization.id):
        actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["invitation.created", "invitation.sent_again"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"accepted_at": timezone.now}, "was used already"),
        ({"revoked_at": timezone.now}, "was withdrawn"),
        ({"expires_at": lambda: timezone.now() - timedelta(seconds=1)}, "is too old"),
    ],
)
def test_a_link_that_no_longer_works_says_why(
    owner: Client, organization: Any, change: dict[str, Any], sentence: str
) -> None:
    link = link_on(invite(owner, f"{unique('eve')}@example.com"))
    with tenant(organization.organization.id):
        Invitation.objects.update(**{name: value() for name, value in change.items()})
    for ask in (Client().get, Client().post):
        answer = ask(link)
        assert answer.status_code == 410
        assert sentence in answer.content.decode()


def test_an_unknown_link_says_so() -> None:
    answer = Client().get("/invitations/nothing/")
    assert answer.status_code == 410
    assert "There is no such invitation" in answer.content.decode()


def test_another_person_is_told_whose_invitation_it_is(owner: Client, organization: Any) -> None:
    email = f"{unique('eve')}@example.com"
    link = link_on(invite(owner, email))
    other = Client()
    other.force_login(User.objects.create_user(f"{unique('mallory')}@example.com"))
    for ask in (other.get, other.post):
        answer = ask(link)
        assert answer.status_code == 409
        assert f"This invitation is for {email} only" in answer.content.decode()
    with tenant(organization.organization.id):
        assert Invitation.objects.get().accepted_at is None
    left = other.post("/accounts/logout/", {"next": link})
    assert left["Location"] == link
    assert other.get(link).status_code == 200


def test_the_session_holds_no_token(owner: Client) -> None:
    link = link_on(invite(owner, f"{unique('eve')}@example.com"))
    guest = Client()
    guest.post(link)
    assert link.split("/")[2] not in str(dict(guest.session))


@pytest.mark.usefixtures("dead_mail")
def test_a_sign_up_survives_a_mail_server_that_is_down() -> None:
    client = Client()
    answer = sign_up(client, f"{unique('ann')}@example.com")
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert "The e-mail could not be sent just now" in page
