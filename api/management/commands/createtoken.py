"""Make an API token from the shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from api.models import ApiToken, Scope
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
        if scope == Scope.ADMIN and not agent.is_admin:
            raise CommandError(_("%(email)s is no admin: the widest scope is write.") % {"email": email})
        _token, secret = ApiToken.objects.issue(agent, scope, name)
        self.stdout.write(secret)
