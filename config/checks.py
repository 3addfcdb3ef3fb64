"""System checks of the machine below us. Those of the database run with `migrate` and `check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

OLDEST_POSTGRES = 15


@register(Tags.database)
def database_speaks_every_language(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Search and case folding beyond ASCII depend on the locale that a database was created with."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int / 10000, pg_encoding_to_char(encoding), "
                "lower('ÄÖ'), EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') "
                "FROM pg_database WHERE datname = current_database()"
            )
            version, encoding, lowered, has_trigrams = cursor.fetchone()
            trigrams = 1
            if has_trigrams:
                cursor.execute("SELECT cardinality(show_trgm('پارسل'))")
                (trigrams,) = cursor.fetchone()
        if version < OLDEST_POSTGRES:
            found.append(Error(f"PostgreSQL {version} is too old: Rabta needs {OLDEST_POSTGRES}.", id="config.E001"))
        if encoding != "UTF8":
            found.append(Error(f"The database is in {encoding}, not UTF8.", hint=HINT, id="config.E002"))
        if lowered != "äö" or not trigrams:
            found.append(
                Error(
                    "The database's locale knows ASCII letters alone: search in Urdu and many other languages "
                    "would find nothing.",
                    hint=HINT,
                    id="config.E003",
                )
            )
    return found


HINT = (
    "Create it anew, for example: CREATE DATABASE rabta TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8' "
    "(PostgreSQL 17 and newer: LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8')."
)


@register(Tags.security, deploy=True)
def nothing_of_the_demo(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """`check --deploy` names what `up` brings along for trying Rabta out."""
    found: list[CheckMessage] = []
    if settings.DEMO:
        found.append(Warning("DEMO is on: its log-ins are public and anyone may play the customer.", id="config.W001"))
    if settings.EMBEDDED_POSTGRES:
        found.append(
            Warning(
                "The embedded PostgreSQL trusts every process that reaches its socket, and nobody backs it up.",
                hint="Set DATABASE_URL.",
                id="config.W002",
            )
        )
    if settings.ALLOW_PRIVATE_NETWORKS:
        found.append(Warning("Channels may connect to addresses inside your network.", id="config.W003"))
    return found


@register(Tags.security, deploy=True)
def proxies_are_told(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Rabta itself speaks no TLS: with https in BASE_URL there is a proxy, and it matters that Rabta knows."""
    if not settings.BASE_URL.startswith("https://"):
        return []
    found: list[CheckMessage] = []
    if not settings.TRUST_PROXY:
        found.append(
            Warning(
                "TRUST_PROXY is not set: everybody seems to come from the proxy's address, so that failed log-ins of "
                "one lock out all.",
                hint="Set it to the number of your proxies; the first must set X-Forwarded-For and X-Forwarded-Proto.",
                id="config.W004",
            )
        )
    if not settings.METRICS_TOKEN:
        found.append(
            Warning(
                "METRICS_TOKEN is not set: a proxy on this machine that replaces the Host header opens /metrics.",
                id="config.W005",
            )
        )
    return found
