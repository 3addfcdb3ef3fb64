"""Settings and processes of Rabta. Importing the Celery app here lets `shared_task` find it in every process."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
