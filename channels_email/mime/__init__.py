"""The room of the mail parser: raw RFC 5322 bytes in, one `Inbound` out."""

from channels_email.mime.read import Unparsable, parse

__all__ = ["Unparsable", "parse"]
