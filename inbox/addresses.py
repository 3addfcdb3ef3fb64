"""Addresses of customers as they are kept, whoever types them."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

PHONE = re.compile(r"\+[1-9][0-9]{5,14}")
LENGTH = 320


def usable(kind: str, value: str) -> str:
    """An address as identities keep it. Raises ValidationError where it can be none of this kind."""
    value = value.strip()
    if not value or len(value) > LENGTH or not value.isprintable():
        raise ValidationError(_("An address takes no line breaks or control characters."))
    if kind == "phone":
        number = re.sub(r"[\s()./-]", "", value)
        if not PHONE.fullmatch(number):
            raise ValidationError(_("Give the number with its country code: +49 30 1234567."))
        return number
    if kind != "email":
        return value
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValidationError(_("This is no e-mail address.")) from error
    return value.lower()
