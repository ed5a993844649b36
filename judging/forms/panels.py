from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from contest.models import Event
from judging.models import Criterion, Judge, Panel, Rubric
from judging.services.designs import MOST_K, Wish, new_seed


class RubricForm(forms.ModelForm):
    class Meta:
        model = Rubric
        fields = ["name_zh", "name_en", "veto_rule"]


class CriterionForm(forms.ModelForm):
    """One row of the builder. Which fields count depends on the kind; the service checks them."""

    KINDS = {
        "weight": (Criterion.Kind.SCORED,),
        "minimum": (Criterion.Kind.SCORED,),
        "maximum": (Criterion.Kind.SCORED, Criterion.Kind.BONUS, Criterion.Kind.PENALTY),
        "step": (Criterion.Kind.SCORED, Criterion.Kind.BONUS, Criterion.Kind.PENALTY),
    }

    # Says which criterion of before this is; see judging.services.rubrics.
    code = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    class Meta:
        model = Criterion
        fields = [
            "kind",
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
            "guide_zh": forms.Textarea(attrs={"rows": 4}),
            "guide_en": forms.Textarea(attrs={"rows": 4}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["weight"].initial = None
        for name, kinds in self.KINDS.items():
            self.fields[name].required = False
            self.fields[name].only_for = " ".join(kinds)

    def clean(self):
        """Ask for what the kind has, and forget what it has not, however it was filled in."""
        cleaned = super().clean()
        kind = cleaned.get("kind")
        if kind is None:
            return cleaned
        for name, kinds in self.KINDS.items():
            if kind not in kinds:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
            elif cleaned.get(name) is None and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return cleaned

    def _post_clean(self):
        """The service builds and checks the criteria together."""


CriterionFormSet = formset_factory(
    CriterionForm, extra=0, min_num=1, max_num=30, can_delete=True, can_order=True
)


class JudgeForm(forms.ModelForm):
    class Meta:
        model = Judge
        fields = ["name", "organisation_zh", "organisation_en", "email"]


class PanelForm(forms.ModelForm):
    class Meta:
        model = Panel
        fields = ["name_zh", "name_en", "rubric", "judges", "chair", "is_anonymous"]
        widgets = {"judges": forms.CheckboxSelectMultiple}

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rubric"].queryset = event.rubrics.all()
        for name in ("judges", "chair"):
            self.fields[name].queryset = event.judges.all()
            self.fields[name].label_from_instance = describe_judge

    def _post_clean(self):
        """The service builds and checks the panel."""


def describe_judge(judge: Judge) -> str:
    return f"{judge.name} · {judge.organisation}"


class DesignForm(forms.Form):
    k = forms.IntegerField(label=_("Judges a team"), min_value=1, max_value=MOST_K)
    seed = forms.CharField(
        label=_("Seed"),
        max_length=64,
        required=False,
        help_text=_("The same seed gives the same design. Empty: one is drawn."),
    )
    keep = forms.BooleanField(
        label=_("Keep the assignments that are there"),
        required=False,
        help_text=_("Otherwise only those with marks stay, and the others are designed anew."),
    )
    skip_others = forms.BooleanField(
        label=_("Leave out teams of the round's other panels"), required=False
    )
    accept_fewer = forms.BooleanField(
        label=_("Give a team fewer judges where conflicts of interest leave no more"),
        required=False,
    )

    def wish(self) -> Wish:
        data = self.cleaned_data
        return Wish(**{**data, "seed": data["seed"] or new_seed()})


class SubstituteForm(forms.Form):
    out = forms.ModelChoiceField(label=_("Who leaves"), queryset=None)
    successor = forms.ModelChoiceField(label=_("Who takes over"), queryset=None)
    reason = forms.CharField(label=_("Reason"), max_length=1000)

    def __init__(self, *args, panel: Panel, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["out"].queryset = panel.judges.all()
        self.fields["successor"].queryset = panel.round.event.judges.all()
        for name in ("out", "successor"):
            self.fields[name].label_from_instance = describe_judge


class RecusalForm(forms.Form):
    judge = forms.ModelChoiceField(label=_("Judge"), queryset=None)
    team = forms.ModelChoiceField(label=_("Team"), queryset=None)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args, event: Event, teams, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["judge"].queryset = event.judges.all()
        self.fields["team"].queryset = teams
