"""The classes of what platforms refuse, each as the error that delivery understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.adapters import DeliveryError, NotFetched
from lib import http, net

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def transient(reason: StrOrPromise) -> DeliveryError:
    """The platform stumbled: the same again in a while."""
    return DeliveryError(reason, permanent=False)


def rate(reason: StrOrPromise, seconds: float, *, channel: bool = True) -> DeliveryError:
    """Too many: not before so many seconds are over; of the whole channel, or (not `channel`) of this person alone."""
    return DeliveryError(reason, permanent=False, retry_after=seconds, channel=channel, fault="rate")


def auth(reason: StrOrPromise) -> DeliveryError:
    """We are let in no more: the channel waits until somebody connects it anew."""
    return DeliveryError(reason, permanent=False, channel=True, fault="auth")


def away(reason: StrOrPromise) -> DeliveryError:
    """Nobody is there: nothing has left."""
    return DeliveryError(reason, permanent=False, channel=True)


def permanent(reason: StrOrPromise) -> DeliveryError:
    """Never this message."""
    return DeliveryError(reason, permanent=True)


def window(reason: StrOrPromise) -> DeliveryError:
    """Too late for an answer of one's own words."""
    return DeliveryError(reason, permanent=True, fault="window")


def blocked(reason: StrOrPromise) -> DeliveryError:
    """Nothing gets through to this person."""
    return DeliveryError(reason, permanent=True, fault="blocked")


UNREACHED: dict[str, StrOrPromise] = {
    "": gettext_lazy("%(platform)s cannot be reached. It is tried again."),
    "name": gettext_lazy("%(platform)s cannot be reached: there is no server of that name. It is tried again."),
    "refused": gettext_lazy("%(platform)s cannot be reached: its server refused the connection. It is tried again."),
    "time": gettext_lazy("%(platform)s cannot be reached: its server did not answer in time. It is tried again."),
    "certificate": gettext_lazy("%(platform)s cannot be reached: its certificate is not good. It is tried again."),
}


def of_request(error: Exception, platform: str) -> DeliveryError:
    """What a request that failed on its way says: whether it can have arrived decides everything."""
    if isinstance(error, net.Refused):
        return away(str(error))
    if http.never_left(error):
        return away(str(UNREACHED[http.why_unreached(error)]) % {"platform": platform})
    said = _("%(platform)s did not answer in time.") % {"platform": platform}
    return DeliveryError(said, permanent=False, unknown=True)


def of_download(error: Exception) -> NotFetched:
    """What a file that could not be fetched says."""
    if isinstance(error, http.TooLarge):
        return NotFetched(_("This file is too large to be fetched."), permanent=True)
    if isinstance(error, net.Refused):
        return NotFetched(_("This file lies in a private network, and was not fetched."), permanent=True)
    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema | ValueError):
        return NotFetched(_("The platform named no usable address for this file."), permanent=True)
    return NotFetched(_("The platform did not give this file yet. It is tried again."), permanent=False)
