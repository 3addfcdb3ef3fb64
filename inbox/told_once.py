"""Secrets that are shown once: made by a POST, shown by the page that it leads to, and then gone.

On the way they lie in the session, sealed.
"""

from django.http import HttpRequest

from lib import signing

KEY = "shown_once"


def keep(request: HttpRequest, what: str, secret: str) -> None:
    request.session[KEY] = signing.seal([what, secret])


def take(request: HttpRequest, what: str) -> str:
    """The secret that was kept for this page; empty when there is none, or no more."""
    if KEY not in request.session:
        return ""
    kept, secret = signing.unseal(request.session[KEY])
    if kept != what:
        return ""
    del request.session[KEY]
    return str(secret)
