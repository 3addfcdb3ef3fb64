"""Whether it is recorded at all what agents have before them: by law or by choice it can be switched off."""

from __future__ import annotations

from inbox.models import Setting

KEY = "handle_time"


def is_on() -> bool:
    """On unless somebody switched it off."""
    value = Setting.objects.filter(pk=KEY).values_list("value", flat=True).first()
    return value is None or value.get("on") is not False
