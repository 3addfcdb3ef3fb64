"""The web process: pages and API through Django, websockets through Channels, both for the same log-ins."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from typing import Any  # noqa: E402 (apps must be loaded first)

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from channels_chat import bodies  # noqa: E402
from channels_chat import routing as chat  # noqa: E402
from inbox.routing import websocket_urlpatterns  # noqa: E402
from inbox.views.hooks import MOST_BYTES, PREFIX  # noqa: E402
from lib import processes  # noqa: E402
from lib.bodies import bounded  # noqa: E402

agents = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, *chat.agents])))
visitors = URLRouter(chat.visitors)  # on other people's sites, without a log-in: each channel says which


async def sockets(scope: Any, receive: Any, send: Any) -> None:
    await (visitors if scope["path"].startswith("/chat/") else agents)(scope, receive, send)


application = ProtocolTypeRouter({"http": bounded(bodies.bounded(pages), PREFIX, MOST_BYTES), "websocket": sockets})

get_resolver().url_patterns  # noqa: B018 (loads every page now, not while somebody waits for the first)
processes.keep_loaded()
