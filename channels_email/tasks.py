"""What workers do for mailboxes. As everywhere: an id, safe to run twice, one function."""

from celery import shared_task

from channels_email import audit
from inbox.models import Channel


@shared_task(name="channels_email.tasks.audit_mailboxes")
def audit_mailboxes() -> None:
    """Begin to count every mailbox that is read over IMAP. Runs nightly."""
    for channel in Channel.objects.filter(kind="email", paused=False, settings__has_key="imap"):
        audit.start(channel, by=None)
