from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from contest.models import Entry, Team


class SignupForm(forms.Form):
    """What allauth asks beside e-mail and password."""

    name = forms.CharField(label=_("Name"), max_length=150)
    field_order = ["name", "email", "password1", "password2"]

    def signup(self, request, user):
        user.name = self.cleaned_data["name"]
        user.language = get_language() or "zh-hans"
        user.save(update_fields=["name", "language"])


# Suggestions only: the field takes any SPDX identifier.
LICENCES = (
    "Apache-2.0",
    "MIT",
    "MulanPSL-2.0",
    "MulanPubL-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "GPL-2.0-or-later",
    "GPL-3.0-or-later",
    "LGPL-3.0-or-later",
    "AGPL-3.0-or-later",
    "MPL-2.0",
    "EPL-2.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
)


class RegisterForm(forms.Form):
    """Which track; only those without sub-tracks take teams."""

    track = forms.ModelChoiceField(label=_("Track"), queryset=None)

    def __init__(self, *args, event, **kwargs):
        super().__init__(*args, **kwargs)
        tracks = event.tracks.filter(children=None)
        self.fields["track"].queryset = tracks
        if len(tracks) == 1:
            self.fields["track"].initial = tracks[0].pk


class TeamForm(forms.ModelForm):
    class Meta:
        model = Team
        fields = ["name_zh", "name_en", "organisation_zh", "organisation_en", "country"]


class EntryForm(forms.ModelForm):
    class Meta:
        model = Entry
        fields = [
            "title_zh",
            "title_en",
            "abstract_zh",
            "abstract_en",
            "repository",
            "licence",
            "base_model",
            "demo_url",
            "video_url",
        ]
        widgets = {
            "abstract_zh": forms.Textarea(attrs={"rows": 4}),
            "abstract_en": forms.Textarea(attrs={"rows": 4}),
            "licence": forms.TextInput(attrs={"list": "spdx"}),
        }


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail of the person to invite"))


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=1000, required=False, widget=forms.Textarea({"rows": 2})
    )


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("Document"),
        help_text=_("PDF, PPTX, DOCX, PNG, JPG or ZIP, at most 20 MB."),
        widget=forms.ClearableFileInput({"accept": ".pdf,.pptx,.docx,.png,.jpg,.jpeg,.zip"}),
    )
