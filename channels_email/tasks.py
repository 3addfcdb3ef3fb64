"""What workers do for mailboxes. As everywhere: safe to run twice, one function."""

from celery import shared_task

from channels_email import audit, consent
from inbox.models import Channel


@shared_task(name="channels_email.tasks.every_night")
def every_night() -> None:
    """Begin to count every mailbox that is read over IMAP, and forget tokens that nothing uses. Runs nightly."""
    consent.forget_unused()
    for channel in Channel.objects.filter(kind="email", paused=False, settings__has_key="imap"):
        audit.start(channel, by=None)


@shared_task(name="channels_email.tasks.audits_go_on")
def audits_go_on() -> None:
    """Count mailboxes for a while, if there is something to count. Runs every few seconds."""
    audit.go_on()
