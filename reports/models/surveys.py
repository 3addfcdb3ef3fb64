"""Questions sent to customers, and what came back."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SurveyKind(models.TextChoices):
    CSAT = "csat", _("Satisfaction")
    NPS = "nps", _("Recommendation")
    CES = "ces", _("Effort")
    SOLVED = "solved", _("Was it solved?")
    OPEN = "open", _("Open question")


class Survey(models.Model):
    """One question, and the rules of when to ask it."""

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=SurveyKind)
    question = models.TextField(_("question"), blank=True)
    rules = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(_("active"), default=False)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")

    def __str__(self) -> str:
        return self.name


class Answer(models.Model):
    """One asking of a survey, and the answer once it is there."""

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="answers")
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, null=True, blank=True, related_name="answers")
    customer = models.ForeignKey("inbox.Customer", on_delete=models.CASCADE, related_name="answers")
    channel = models.ForeignKey("inbox.Channel", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    message = models.ForeignKey(
        "inbox.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )  # that asked
    unasked = models.BooleanField(default=False)  # given by themselves: asked and answered at once
    asked_at = models.DateTimeField(default=timezone.now)
    failed_at = models.DateTimeField(null=True, blank=True)  # it never reached them
    answered_at = models.DateTimeField(null=True, blank=True)  # the first time: its day
    changed_at = models.DateTimeField(null=True, blank=True)  # the value that stands is from then
    value = models.SmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        indexes = (models.Index(fields=["survey", "answered_at"], name="answer_by_day"),)
