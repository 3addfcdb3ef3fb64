"""Agents and teams: who answers."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    LIGHT = "light", _("Light agent")  # reads and notes
    AGENT = "agent", _("Agent")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Admin")


class AgentManager(BaseUserManager["Agent"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Agent":
        """A person who can log in; without a password only by other means."""
        agent = self.model(email=email.strip().lower(), **fields)
        agent.set_password(password)
        agent.save(using=self._db)
        return agent

    def get_by_natural_key(self, username: str | None) -> "Agent":
        return self.get(email__iexact=username)


class Agent(AbstractBaseUser, PermissionsMixin):
    """A person, or a bot, who works on tickets."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.AGENT)
    is_active = models.BooleanField(_("active"), default=True)
    is_bot = models.BooleanField(_("bot"), default=False)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    theme = models.CharField(
        _("theme"),
        max_length=10,
        default="system",
        choices=[("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    signature = models.TextField(_("signature"), blank=True)
    photo = models.CharField(max_length=255, blank=True)  # its name in Django storage
    away = models.BooleanField(_("away"), default=False)
    after_send = models.CharField(
        _("after sending"),
        max_length=5,
        default="stay",
        choices=[
            ("stay", _("Stay on the ticket")),
            ("next", _("Open the next ticket")),
            ("list", _("Back to the list")),
        ],
    )
    density = models.CharField(
        _("list"), max_length=8, default="roomy", choices=[("roomy", _("Roomy")), ("compact", _("Compact"))]
    )
    notify = models.JSONField(default=dict, blank=True)  # kind of notification: ways, where changed from the default
    read_before = models.DateTimeField(default=timezone.now)  # tickets that are quiet since then count as read
    skills = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(null=True, blank=True)  # to some minutes

    objects: ClassVar[AgentManager] = AgentManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = (models.UniqueConstraint(Lower("email"), name="agent_email_once"),)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def may_write(self) -> bool:
        """Light agents read and leave notes; everybody else may answer and change tickets."""
        return self.role != Role.LIGHT


class Team(models.Model):
    """A group of agents. A private team's tickets are seen by its members alone."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), unique=True)
    private = models.BooleanField(_("private"), default=False)
    signature = models.TextField(_("signature"), blank=True)
    schedule = models.JSONField(default=dict, db_default={}, blank=True)  # its own hours of business; empty: none
    members = models.ManyToManyField(Agent, related_name="teams", blank=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
