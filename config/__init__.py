"""Settings and processes of Rabta. Importing the Celery app here lets `shared_task` find it in every process."""

import gc

# Little of what is loaded is garbage, yet looking for it takes a quarter of the time that loading takes. On again in
# `config.apps`.
gc.disable()

from config.celery import app as celery_app  # noqa: E402

__all__ = ["celery_app"]
