"""/tokens/: one's own; an administrator's token sees and revokes those of others too."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api.actions import tokens
from api.models import ApiToken, Scope
from api.serializers.tokens import NewTokenOut, TokenIn, TokenOut
from api.views.base import View


class TokenView(View):
    secret_answers = frozenset({"create"})

    def seen(self) -> QuerySet[ApiToken]:
        found = ApiToken.objects.select_related("agent").order_by("pk")
        return found if self.token.allows(Scope.ADMIN) else found.filter(agent=self.agent)

    @property
    def token(self) -> ApiToken:
        token = self.request.auth
        assert isinstance(token, ApiToken)
        return token

    @extend_schema(operation_id="tokens_list", responses=TokenOut(many=True))
    def list(self, request: Request) -> Response:
        """One's own tokens; with an administrator's token everybody's."""
        return self.page(self.seen(), TokenOut)

    @extend_schema(operation_id="tokens_create", request=TokenIn, responses={201: NewTokenOut})
    def create(self, request: Request) -> Response:
        """A new token of one's own, with no wider scope than that of the token that asks."""
        asked = self.taken(TokenIn)
        if not self.token.allows(asked["scope"]):
            raise ValidationError({"scope": [_("A token cannot make one that reaches further than itself.")]})
        token, secret = tokens.create(self.agent, scope=asked["scope"], name=asked["name"], by=self.agent)
        return Response({**TokenOut(token).data, "token": secret}, status=201)

    @extend_schema(operation_id="tokens_get", responses=TokenOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One token."""
        return Response(TokenOut(self.one(pk)).data)

    @extend_schema(operation_id="tokens_revoke", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Revoke a token: it stops working at once. Its row stays, with the time."""
        tokens.revoke(self.one(pk), by=self.agent)
        return Response(status=204)

    def one(self, pk: int) -> ApiToken:
        token = self.seen().filter(pk=pk).first()
        if token is None:
            raise NotFound(_("There is no such thing here, or not for you."))
        return token
