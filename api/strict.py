"""Input that means what it says: a field or filter we do not know is refused by name, never passed over."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

PAGING = {"cursor", "page_size"}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not have, and fields that are only ever answered.

    A PATCH may leave out fields of its noun; an object within it is given whole (REST framework leaves that out, too).
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = {
                name: [_("This cannot be set.") if name in self.fields else _("There is no such field.")]
                for name in data
                if name not in writable
            }
            if unknown:
                raise serializers.ValidationError(unknown)
            if self.parent is not None and getattr(self.root, "partial", False):
                lacking = {name: field for name, field in self.fields.items() if field.required and name not in data}
                if lacking:
                    raise serializers.ValidationError(
                        {name: [field.error_messages["required"]] for name, field in lacking.items()}
                    )
        return super().to_internal_value(data)


class Filters(serializers.Serializer[Any]):
    """The query parameters of a list. Subclasses name them as fields; the result has only those that were given."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields

    @classmethod
    def read(cls, request: Request, **context: Any) -> dict[str, Any]:
        """The validated filters of this request. Raises ValidationError naming each that is unknown or wrong."""
        given = {name: value for name, value in request.query_params.items() if name not in PAGING}
        filters = cls(data=given, context={"request": request, **context})
        unknown = {name: [_("There is no such filter.")] for name in given if name not in filters.fields}
        twice = {name: [_("Give this once.")] for name in given if len(request.query_params.getlist(name)) > 1}
        if unknown or twice:
            raise serializers.ValidationError({**twice, **unknown})
        filters.is_valid(raise_exception=True)
        return dict(filters.validated_data)


def _none_of(word: Any, codes: Iterable[str]) -> serializers.ValidationError:
    said = _("“%(word)s” is none of: %(codes)s.") % {"word": str(word)[:40], "codes": ", ".join(codes)}
    return serializers.ValidationError(said, code="invalid_choice")


class Choice(serializers.ChoiceField):
    """One of the given codes; whoever gives another is told which there are."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key == "invalid_choice":
            raise _none_of(kwargs["input"], map(str, self.choices))
        super().fail(key, **kwargs)


@extend_schema_field({"type": "string"})
class Codes(serializers.Field[Any, Any, Any, Any]):
    """Several of the given codes, parted by commas: `open,pending`."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.codes = [str(code) for code, _label in choices]

    def to_internal_value(self, data: Any) -> list[str]:
        words = str(data).split(",")
        for word in words:
            if word not in self.codes:
                raise _none_of(word, self.codes)
        return words

    def to_representation(self, value: Any) -> Any:
        return ",".join(value)
