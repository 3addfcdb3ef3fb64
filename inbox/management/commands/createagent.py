"""Make or update a person who can log in."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import people
from inbox.models import Agent, Role


class Command(BaseCommand):
    help = "Make a person who can log in, or change the role, name or password of one. Prints them as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, help="default for a new person: agent")
        parser.add_argument("--name", help="default for a new person: what stands before the @")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(
        self, *args: Any, email: str, role: str | None, name: str | None, password_stdin: bool, **options: Any
    ) -> None:
        email = email.strip().lower()
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        with transaction.atomic():
            agent = Agent.objects.select_for_update().filter(email__iexact=email).first()
            created = agent is None
            agent = agent or Agent(email=email, name=email.split("@")[0])
            before, was_active = agent.role, agent.is_active
            agent.role = role or agent.role
            agent.name = name or agent.name
            agent.is_active = True
            try:
                validate_email(email)
                if password is not None:
                    validate_password(password, agent)
            except ValidationError as error:
                raise CommandError("\n".join(error.messages)) from error
            if password is not None:
                agent.set_password(password)
            elif created:
                agent.set_unusable_password()
            agent.save()
            if created:
                log.record(None, "agent_created", agent=agent.pk, role=agent.role)
            elif agent.role != before:
                log.record(None, "role_changed", by=None, agent=agent.pk, **{"from": before, "to": agent.role})
            if not was_active:
                log.record(None, "agent_switched_on", agent=agent.pk)
            if password is not None:
                log.record(None, "password_set", agent=agent.pk)
            people.tell([agent.pk])
        if created and password is None:
            self.stderr.write(_("%(email)s has no password and cannot log in yet.") % {"email": email})
        told = {"id": agent.pk, "email": agent.email, "name": agent.name, "role": agent.role, "created": created}
        self.stdout.write(json.dumps(told, ensure_ascii=False))
