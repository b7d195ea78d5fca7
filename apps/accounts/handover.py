"""Hands a new secret from the request that made it to the one page that shows it.

Sessions are rows of the database, where no key may stand in the clear: a dump or a backup would
hold it. So the secret waits there encrypted (Fernet: AES-128 in CBC mode with HMAC-SHA-256) under a
key derived from `SECRET_KEY`, which is in no database; signing alone would leave it readable. The
page that shows it removes it, and after an hour it can not be shown any more. Redis would do as a
waiting room too, but a sign-up must not fail because Redis is down.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

NEW_KEY = "new_key"
INVITATION_LINK = "invitation_link"
# Long enough to fetch the code of a sign-up from the mail.
VALID_SECONDS = 3600


def keep(request: HttpRequest, name: str, secret: str) -> None:
    """Have the next page that asks for `name` show this secret."""
    request.session[name] = _cipher().encrypt(secret.encode()).decode()


def is_waiting(request: HttpRequest, name: str) -> bool:
    """Whether this browser has made a secret of this name that it has not seen yet."""
    return name in request.session


def take(request: HttpRequest, name: str) -> str | None:
    """The secret that waits, which is forgotten by this; None where there is none or it is too old."""
    token = request.session.pop(name, None)
    if token is None:
        return None
    try:
        return _cipher().decrypt(token, ttl=VALID_SECONDS).decode()
    except InvalidToken:
        return None


def _cipher() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str) -> bytes:
    digest = salted_hmac("apps.accounts.handover", "key", secret=secret, algorithm="sha256").digest()
    return urlsafe_b64encode(digest)
