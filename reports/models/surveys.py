"""Questions sent to customers, who is to be asked them and when, and what came back."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SurveyKind(models.TextChoices):
    CSAT = "csat", _("Satisfaction")
    NPS = "nps", _("Recommendation")
    CES = "ces", _("Effort")
    SOLVED = "solved", _("Was it solved?")
    CHOICE = "choice", _("Closed question")
    OPEN = "open", _("Open question")


class SurveyLook(models.TextChoices):
    FACES = "faces", _("Faces")
    STARS = "stars", _("Stars")
    NUMBERS = "numbers", _("Numbers")


class Survey(models.Model):
    """One question with what may follow it, and the rules of whom it is asked, when and how often.

    `texts` is what it says by language, {"en": {"question", "thanks", …}}; what is empty there is said in our own
    words (`reports.surveys.words`). `choices` are the answers of a closed question, each by language; an answer's value
    is the place of one, from 0. `further` are questions that come after it on its page: [{"key", "kind": "open" or
    "choice", "when": "all", "low" or "high", "text": {language: words}, "choices": [{language: words}]}]. `rules` are
    those of `reports.surveys.rules`.
    """

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=SurveyKind)
    look = models.CharField(_("look"), max_length=8, choices=SurveyLook, default=SurveyLook.FACES)
    question = models.TextField(_("question"), blank=True)  # in every language that has no words of its own
    texts = models.JSONField(default=dict, blank=True)
    choices = models.JSONField(default=list, blank=True)
    further = models.JSONField(default=list, blank=True)
    rules = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(_("active"), default=False)
    of_chats = models.BooleanField(default=False)  # the one that holds what visitors give a chat by themselves

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = (models.UniqueConstraint(fields=["of_chats"], condition=Q(of_chats=True), name="one_of_chats"),)

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
    engagement = models.BigIntegerField(null=True, blank=True, unique=True)  # id of the chat session that was rated
    language = models.CharField(max_length=10, blank=True)  # that it was asked in
    unasked = models.BooleanField(default=False)  # given by themselves: asked and answered at once
    asked_at = models.DateTimeField(default=timezone.now)
    failed_at = models.DateTimeField(null=True, blank=True)  # it never reached them
    answered_at = models.DateTimeField(null=True, blank=True)  # the first time: its day
    changed_at = models.DateTimeField(null=True, blank=True)  # the value that stands is from then
    value = models.SmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)
    further = models.JSONField(default=dict, blank=True)  # what further questions were answered, by their key
    followed_up = models.BooleanField(default=False)  # what its survey does about a bad answer was done

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        indexes = (
            models.Index(fields=["survey", "answered_at"], name="answer_by_day"),
            models.Index(fields=["survey", "asked_at"], include=["answered_at", "failed_at"], name="answer_by_asking"),
            models.Index(fields=["customer", "asked_at"], name="answer_of_customer"),
        )

    def __str__(self) -> str:
        return f"{self.survey_id} {self.pk}"


class AskingState(models.TextChoices):
    WAITING = "waiting", _("waits for its time")
    ASKED = "asked", _("asked")
    SKIPPED = "skipped", _("left out")


class Asking(models.Model):
    """That somebody is to be asked, was, or was not and why: once for each `key`, which names what it follows from."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="askings")
    key = models.CharField(max_length=80)
    ticket = models.ForeignKey(
        "inbox.Ticket", on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="+"
    )
    customer = models.ForeignKey("inbox.Customer", on_delete=models.CASCADE, db_index=False, related_name="+")
    event = models.BigIntegerField(default=0)  # the line of the log that it follows from
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=AskingState, default=AskingState.WAITING)
    reason = models.CharField(max_length=20, blank=True)  # of what was left out (`reports.surveys.reasons`)
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["survey", "key"], name="asking_once"),)
        indexes = (
            models.Index(fields=["due_at"], name="asking_due", condition=Q(state="waiting")),
            models.Index(
                fields=["survey", "due_at"], include=["reason"], name="asking_skipped", condition=Q(state="skipped")
            ),
            models.Index(fields=["ticket"], name="asking_of_ticket"),
            models.Index(fields=["customer"], name="asking_of_customer"),
        )

    def __str__(self) -> str:
        return f"{self.survey_id} {self.key}"
