from tests.channels_email.conftest import dovecot, mailbox, make_channel, sana

__all__ = ["dovecot", "mailbox", "make_channel", "sana"]
