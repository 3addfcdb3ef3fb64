"""Connect a channel from the shell, with the validation of the settings page and the JSON of the API."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import MaxLengthValidator, validate_slug
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer

from api.serializers.channels import ChannelOut
from inbox.actions import channel_secrets, channels
from inbox.actions.errors import ActionError


class Command(BaseCommand):
    help = (
        "Connect a channel and print it as JSON, with its webhook address and, this once, a secret that was made for"
        " it. An existing one is left as it is: an error."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", help="such as email")
        parser.add_argument("slug", help="its name in addresses and in the API")
        # Takes the place of Django's own option, which manage.py keeps from seeing this one.
        parser.add_argument(
            "--settings",
            "--channel-settings",
            dest="channel_settings",
            default="{}",
            metavar="JSON",
            help="see docs/channels/; - reads them from standard input, where other people's `ps` does not see them",
        )
        parser.set_defaults(settings=None)

    def handle(self, *args: Any, kind: str, slug: str, channel_settings: str, **options: Any) -> None:
        try:
            given = json.loads(sys.stdin.read() if channel_settings == "-" else channel_settings)
        except ValueError as error:
            raise CommandError(_("--settings is not JSON: %(error)s") % {"error": error}) from error
        if not isinstance(given, dict):
            raise CommandError(_("--settings must be a JSON object."))
        try:
            validate_slug(slug)
            MaxLengthValidator(50)(slug)
            channel = channels.create(kind, slug, given, by=None)
        except ActionError as error:
            raise CommandError(str(error.reason)) from error
        except ValidationError as error:
            fields = error.message_dict if hasattr(error, "error_dict") else {"slug": error.messages}
            lines = [f"{name}: {text}" for name, texts in fields.items() for text in texts]
            raise CommandError("\n".join(lines)) from error
        shown = {**ChannelOut(channel).data}
        if secret := channel_secrets.made(channel, given):
            shown["secret"] = secret
        self.stdout.write(JSONRenderer().render(shown).decode())
