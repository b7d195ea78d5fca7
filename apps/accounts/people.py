"""Making people who may sign in at once: their address counts as verified."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.accounts.models import User


def verified_user(email: str, password: str) -> User:
    """The user of this address, created if new; raises `ValidationError` naming the field.

    An address that is known already is used only with its own password.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError(f"email: {email!r} is not an e-mail address.") from None
    known = User.objects.filter(email=email).first()
    if known is not None:
        if not known.check_password(password):
            raise ValidationError(f"email: {email} is known already, with another password.")
        return known
    try:
        validate_password(password, User(email=email, username=email))
    except ValidationError as error:
        raise ValidationError(f"password: {' '.join(error.messages)}") from None
    with transaction.atomic():
        user = User.objects.create_user(email, password)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
