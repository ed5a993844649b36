"""Lengths of the phases, as people say them: 8 or 8:30 minutes."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

CLOCK = re.compile(r"(\d{1,3})(?::([0-5]\d))?", re.ASCII)


class MinutesField(forms.CharField):
    """Minutes, or minutes and seconds, as a number of seconds."""

    def __init__(self, **kwargs):
        super().__init__(max_length=6, **kwargs)

    def prepare_value(self, value):
        if isinstance(value, int):
            return f"{value // 60}:{value % 60:02}"
        return value

    def clean(self, value):
        text = super().clean(value)
        match = CLOCK.fullmatch(text.strip().replace("：", ":"))
        if match is None:
            raise forms.ValidationError(_("Give minutes, or minutes and seconds: 8 or 8:30."))
        return 60 * int(match[1]) + int(match[2] or 0)


class StageForm(forms.Form):
    presentation_s = MinutesField(
        label=_("Presentation"), help_text=_("Minutes, or minutes and seconds: 8 or 8:30.")
    )
    questions_s = MinutesField(label=_("Questions"))
    is_public = forms.BooleanField(
        label=_("Everybody may watch"),
        required=False,
        help_text=_("Whoever has the address of the stage screen sees it without signing in."),
    )
