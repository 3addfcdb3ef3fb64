"""API tokens."""

from rest_framework import serializers

from api.models import ApiToken, Scope
from api.serializers.common import AgentRef
from api.strict import Choice, StrictSerializer


class TokenOut(serializers.Serializer[ApiToken]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=Scope.choices)
    prefix = serializers.CharField(help_text="How the token begins: enough to tell it from others.")
    agent = AgentRef()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewTokenOut(TokenOut):
    token = serializers.CharField(help_text="The token itself, told this once.")


class TokenIn(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    scope = Choice(choices=Scope.choices, default=Scope.READ)
