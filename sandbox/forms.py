from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sandbox.writing import addresses


class AddressesField(forms.CharField):
    def validate(self, value: Any) -> None:
        super().validate(value)
        if value:
            try:
                addresses(value)
            except ValueError as error:
                raise ValidationError(_("This is no e-mail address.")) from error


class WhoForm(forms.Form):
    """Who the visitor wants to be."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, required=False)
    address = forms.EmailField(label=gettext_lazy("E-mail address"))


class WriteForm(forms.Form):
    """A new mail or an answer."""

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=100, required=False)
    to = AddressesField(label=gettext_lazy("To"))
    cc = AddressesField(label=gettext_lazy("Cc"), required=False)
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=300, required=False)
    text = forms.CharField(label=gettext_lazy("Message"), widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}))
    file = forms.FileField(label=gettext_lazy("Attachment"), required=False)
