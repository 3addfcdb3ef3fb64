"""Customers, their identities and organisations, and what happened to them elsewhere."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models.base import Stage


class Organisation(models.Model):
    """A company whose people write to us."""

    name = models.CharField(_("name"), max_length=200)
    domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    external_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        indexes = (
            GinIndex(fields=["domains"], name="organisation_domains"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="organisation_name"),
        )

    def __str__(self) -> str:
        return self.name


# Whom lists show; their indexes say the same.
LIVING = models.Q(merged_into__isnull=True, erased_at__isnull=True)


class Customer(models.Model):
    """A person who writes to us."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.SET_NULL, null=True, blank=True, related_name="customers", db_index=False
    )  # customer_of_organisation
    stage = models.CharField(_("stage"), max_length=12, choices=Stage, default=Stage.LEAD)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    preferred_channel = models.ForeignKey("inbox.Channel", on_delete=models.SET_NULL, null=True, blank=True)
    opt_outs = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    picture = models.CharField(max_length=200, blank=True, default="", db_default="")  # the file of one of `Picture`
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = (
            models.Index(
                models.F("last_seen_at").desc(nulls_last=True),
                models.F("id").desc(),
                name="customer_by_last_seen",
                condition=LIVING,
            ),
            models.Index(
                models.F("organisation"),
                models.F("last_seen_at").desc(nulls_last=True),
                models.F("id").desc(),
                name="customer_of_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
            models.Index(Upper("name"), models.F("id"), name="customer_by_name", condition=LIVING),
            models.Index(fields=["stage"], name="customer_stage", condition=~models.Q(stage="lead")),
            models.Index(fields=["language"], name="customer_language", condition=~models.Q(language="")),
            GinIndex(fields=["tags"], name="customer_tags", condition=~models.Q(tags=[])),
            GinIndex(
                fields=["attributes"],
                opclasses=["jsonb_path_ops"],
                name="customer_attributes",
                condition=~models.Q(attributes={}),
            ),
        )

    def __str__(self) -> str:
        return self.name or str(_("Unknown"))


class IdentityQuerySet(models.QuerySet["Identity"]):
    def active(self) -> "IdentityQuerySet":
        """Those that find their customer: verified and not retired."""
        return self.filter(verified_at__isnull=False, retired_at__isnull=True)


class Identity(models.Model):
    """One address of a customer. A typed claim is stored unverified beside the verified owner, and finds nobody."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=30)
    scope = models.CharField(max_length=100, blank=True)
    value = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_how = models.CharField(max_length=30, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = (
            models.UniqueConstraint(
                fields=["kind", "scope", "value"],
                condition=models.Q(verified_at__isnull=False, retired_at__isnull=True),
                name="identity_once",
            ),
        )
        indexes = (models.Index(fields=["value"], name="identity_value"),)

    def __str__(self) -> str:
        return self.value

    @property
    def verified(self) -> bool:
        return self.verified_at is not None


class CustomerMerge(models.Model):
    """Two customers who turned out to be one: what moved and when, so that it can be undone.

    `moved` holds ids by noun ("identities", "tickets", "messages", "events"): until `at` they were `source`'s, since
    then they are `into`'s. `before` holds the fields of `into` that took over a value of `source`.
    """

    source = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="merges")
    into = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)
    moved = models.JSONField(default=dict)
    before = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["at"], name="customer_merge_recent"),)


class CustomerEvent(models.Model):
    """Something that happened to a customer elsewhere: an order, a visit, a log-in. Comes by API, import or widget."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    data = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=200, null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["customer", "kind", "external_id"], name="customer_event_once"),)
        indexes = (models.Index(fields=["customer", "-at"], name="customer_event_journey"),)


class CustomerNote(models.Model):
    """What agents should know of a customer, whatever the ticket."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notes")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)


class Card(models.Model):
    """A card that another system fills, shown beside a customer's tickets: an order, a contract, a parcel.

    `fields` is a list of {"label", "value", "url"?}.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="cards")
    key = models.CharField(max_length=100)
    title = models.CharField(max_length=120)
    url = models.URLField(max_length=1000, blank=True)
    fields = models.JSONField(default=list, blank=True)
    position = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["customer", "key"], name="card_once"),)
        ordering = ("position", "key")


class DifferentPeople(models.Model):
    """Two customers of whom an agent said that they are not one: no merge is suggested again. Lower id first."""

    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["first", "second"], name="different_people_once"),)
