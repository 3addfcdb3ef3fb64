"""The Celery application: tasks carry ids and wake-ups only; what is due lives in PostgreSQL (docs/architecture.md)."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging

from lib import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("rabta")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_everywhere(**kwargs: Any) -> None:
    """Worker and beat log like the other processes, not in Celery's own format."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@celeryd_after_setup.connect
def ready(**kwargs: Any) -> None:
    """Before the worker's processes are forked, with everything loaded that they share."""
    processes.keep_loaded()
