"""Make an API token from the shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from api.actions import tokens
from api.models import Scope
from inbox.actions.errors import ActionError
from inbox.models import Agent


class Command(BaseCommand):
    help = "Print a new API token of this person. It is told this once: only its digest is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.WRITE.value, help="default: %(default)s")
        parser.add_argument("--name", default="", help="what it is for, shown in lists")

    def handle(self, *args: Any, email: str, scope: str, name: str, **options: Any) -> None:
        agent = Agent.objects.filter(email__iexact=email.strip(), is_active=True).first()
        if agent is None:
            raise CommandError(_("There is no active person with the address %(email)s.") % {"email": email})
        try:
            _token, secret = tokens.create(agent, scope=scope, name=name, by=None)
        except ActionError as error:
            raise CommandError(str(error.reason)) from error
        self.stdout.write(secret)
