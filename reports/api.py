"""/surveys/answers/: what customers answered; and what is told and forgotten of it with a customer."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import timeline
from api.routing import register
from api.serializers.common import BIGGEST_ID, CustomerRef
from api.strict import Choice, Filters
from api.views.base import View
from inbox.actions import erasing, naming
from inbox.models import Agent, Customer
from reports.models import Answer, Survey, SurveyKind
from reports.surveys.told import seen


class SurveyRef(serializers.Serializer[Survey]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=SurveyKind.choices)


class AnswerOut(serializers.Serializer[Answer]):
    """One asking of a survey, and the answer once it is there."""

    id = serializers.IntegerField()
    survey = SurveyRef()
    ticket = serializers.IntegerField(source="ticket_id", allow_null=True)
    customer = CustomerRef()
    channel = serializers.SlugField(source="channel.slug", allow_null=True, default=None)
    unasked = serializers.BooleanField()
    language = serializers.CharField()
    asked_at = serializers.DateTimeField()
    failed_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)
    value = serializers.IntegerField(allow_null=True)
    comment = serializers.CharField()
    further = serializers.DictField()


class AnswerFilters(Filters):
    survey = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    kind = Choice(choices=SurveyKind.choices)
    ticket = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    customer = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    answered = serializers.BooleanField()
    answered_after = serializers.DateTimeField()
    answered_before = serializers.DateTimeField()

    @classmethod
    def apply(cls, answers: QuerySet[Answer], chosen: dict[str, Any]) -> QuerySet[Answer]:
        chosen = dict(chosen)
        if "answered" in chosen:
            answers = answers.filter(answered_at__isnull=not chosen.pop("answered"))
        names = {"kind": "survey__kind", "answered_after": "answered_at__gt", "answered_before": "answered_at__lt"}
        return answers.filter(**{names.get(name, name): value for name, value in chosen.items()}).order_by("-pk")


class AnswerView(View):
    queries = {"list": AnswerFilters}

    @extend_schema(operation_id="surveys_answers_list", responses=AnswerOut(many=True))
    def list(self, request: Request) -> Response:
        """What customers answered to surveys, newest first."""
        found = AnswerFilters.apply(seen(self.agent), self.filters).select_related("survey", "customer", "channel")
        return self.page(found, AnswerOut)


def told(agent: Agent, customer: Customer) -> Iterable[dict[str, Any]]:
    """A customer's answers, for their export."""
    rows = seen(agent).filter(customer=customer).select_related("survey", "customer", "channel").order_by("pk")
    return [dict(AnswerOut(row).data) for row in rows]


@erasing.also
def forget(person: naming.Person) -> None:
    """Of an erased person's answers the values stay, which are figures; what they wrote goes."""
    Answer.objects.filter(Q(customer__in=person.customers) | Q(ticket__in=person.tickets)).update(
        comment="", further={}
    )


register("surveys/answers", AnswerView)
timeline.also("survey_answers", told)
