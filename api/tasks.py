"""What workers do for outgoing webhooks, in a queue of their own."""

from celery import shared_task

from api.webhooks import delivery


@shared_task(name="api.tasks.deliver_webhooks")
def deliver_webhooks() -> int:
    """Deliver what is due. Beat wakes it every few seconds, the follower of the log as soon as there is something."""
    return delivery.run()


@shared_task(name="api.tasks.prune_webhooks")
def prune_webhooks() -> int:
    """Forget old deliveries. Runs daily."""
    return delivery.prune()
