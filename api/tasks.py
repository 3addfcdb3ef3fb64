"""What workers do for the API: outgoing webhooks, in a queue of their own, and tidying up."""

from celery import shared_task

from api import idempotency
from api.webhooks import delivery


@shared_task(name="api.tasks.deliver_webhooks")
def deliver_webhooks() -> int:
    """Deliver what is due. Beat wakes it every few seconds, the follower of the log as soon as there is something."""
    return delivery.run()


@shared_task(name="api.tasks.prune_webhooks")
def prune_webhooks() -> int:
    """Forget old deliveries. Runs daily."""
    return delivery.prune()


@shared_task(name="api.tasks.prune_idempotency_keys")
def prune_idempotency_keys() -> int:
    """Forget the answers of yesterday. Runs daily."""
    return idempotency.prune()
