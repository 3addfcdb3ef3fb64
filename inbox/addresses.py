"""Addresses of customers as they are kept, whoever types them."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from lib import phones

PHONE = re.compile(r"(?:\+|00)([1-9][0-9]{5,14})")
LENGTH = 320


def usable(kind: str, value: str) -> str:
    """An address as identities keep it, a number in E.164 as messengers have it. Raises ValidationError where it can be
    none of this kind.
    """
    value = value.strip()
    if not value or len(value) > LENGTH or not value.isprintable():
        raise ValidationError(_("An address takes no line breaks or control characters."))
    if kind == "phone":
        number = PHONE.fullmatch(re.sub(r"[\s()./-]", "", value))
        if number is None:
            raise ValidationError(_("Give the number with its country code: +49 30 1234567."))
        return phones.e164(value) or f"+{number[1]}"
    if kind != "email":
        return value
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValidationError(_("This is no e-mail address.")) from error
    return value.lower()
