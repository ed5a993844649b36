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


class RegisterForm(forms.Form):
    """Which track; only those without sub-tracks take teams."""

    track = forms.ModelChoiceField(label=_("Track"), queryset=None)

    def __init__(self, *args, event, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["track"].queryset = event.tracks.filter(children=None)


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
        }


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail of the person to invite"))


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("Document"), help_text=_("PDF, PPTX, DOCX, PNG, JPG or ZIP, at most 20 MB.")
    )
