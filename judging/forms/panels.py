from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from contest.models import Event
from judging.models import Criterion, Judge, Panel, Rubric


class RubricForm(forms.ModelForm):
    class Meta:
        model = Rubric
        fields = ["name_zh", "name_en"]


class CriterionForm(forms.ModelForm):
    class Meta:
        model = Criterion
        fields = [
            "name_zh",
            "name_en",
            "weight",
            "minimum",
            "maximum",
            "step",
            "guide_zh",
            "guide_en",
        ]
        widgets = {
            "guide_zh": forms.Textarea(attrs={"rows": 2}),
            "guide_en": forms.Textarea(attrs={"rows": 2}),
        }


CriterionFormSet = formset_factory(CriterionForm, extra=0, min_num=1, max_num=30, can_delete=True)


class JudgeForm(forms.ModelForm):
    class Meta:
        model = Judge
        fields = ["name", "organisation_zh", "organisation_en", "email"]


class PanelForm(forms.ModelForm):
    class Meta:
        model = Panel
        fields = ["name_zh", "name_en", "rubric", "judges"]
        widgets = {"judges": forms.CheckboxSelectMultiple}

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rubric"].queryset = event.rubrics.all()
        self.fields["judges"].queryset = event.judges.all()
        self.fields["judges"].label_from_instance = lambda j: f"{j.name} · {j.organisation}"

    def _post_clean(self):
        """The service builds and checks the panel."""


class RecusalForm(forms.Form):
    judge = forms.ModelChoiceField(label=_("Judge"), queryset=None)
    team = forms.ModelChoiceField(label=_("Team"), queryset=None)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args, event: Event, teams, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["judge"].queryset = event.judges.all()
        self.fields["team"].queryset = teams
