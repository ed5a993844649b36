from django import forms
from django.forms import BaseInlineFormSet, inlineformset_factory
from django.utils.translation import gettext_lazy as _

from judging.models import Judge
from leaderboard.models import (
    AdvancementQuota,
    AdvancementRule,
    Award,
    Scheme,
    SchemeComponent,
)
from leaderboard.models.scheme import (
    MOST_TIE_BREAKS,
    NAMED_CRITERION,
    criterion_of,
    tie_break_label,
)
from leaderboard.services.schemes import criteria_names


class SchemeForm(forms.ModelForm):
    """A scheme's own fields; the tie-breaks one by one, in the order in which they are asked."""

    conditions = forms.MultipleChoiceField(
        label=_("A team is ranked only if"),
        choices=Scheme.Condition,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(
        label=_("Reason of the change"),
        max_length=1000,
        required=False,
        help_text=_("Needed once the first scores are there; kept with the effect."),
    )
    without = forms.ModelMultipleChoiceField(
        label=_("Leave out judges, to try"),
        queryset=Judge.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only for trying; saving leaves nobody out."),
    )

    class Meta:
        model = Scheme
        fields = ["advance_count", "decimals", "rounding", "minimum_total", "conditions", "seed"]

    def __init__(self, *args, rounds, **kwargs):
        """``rounds``: what components may come from."""
        super().__init__(*args, **kwargs)
        criteria = criteria_names(rounds)
        # Those that are in force can be left as they are, whatever has become of the rubric.
        stored = [code for name in self.instance.tie_breaks if (code := criterion_of(name))]
        codes = dict.fromkeys([*criteria, *stored])
        choices = [
            ("", "–"),
            *Scheme.TieBreak.choices,
            *(
                (name, tie_break_label(name, criteria))
                for name in (NAMED_CRITERION + code for code in codes)
            ),
        ]
        for n in range(MOST_TIE_BREAKS):
            asked = self.instance.tie_breaks[n : n + 1]
            self.fields[f"tie_break_{n + 1}"] = forms.ChoiceField(
                label=_("Tie-break %(n)s") % {"n": n + 1},
                choices=choices,
                required=False,
                initial=asked[0] if asked else "",
            )
        self.fields["without"].queryset = Judge.objects.filter(
            assignments__participation__round=self.instance.round_id
        ).distinct()
        if not self.fields["without"].queryset.exists():
            del self.fields["without"]

        self.fields["rounding"].required = False

    def clean_rounding(self):
        return self.cleaned_data["rounding"] or Scheme.Rounding.NONE

    @property
    def groups(self) -> list[tuple]:
        """(title, help, fields) for the page; ``trying`` stands below the components."""
        ties = [self[f"tie_break_{n + 1}"] for n in range(MOST_TIE_BREAKS)]
        ranked = ("advance_count", "decimals", "rounding", "minimum_total", "conditions")
        return [
            (_("Who is ranked, and who advances"), "", [self[name] for name in ranked]),
            (
                _("Tie-breaks"),
                _("Asked in this order; whom none of them parts share a rank."),
                [*ties, self["seed"]],
            ),
        ]

    @property
    def trying(self) -> list:
        return [self[name] for name in ("reason", "without") if name in self.fields]

    @property
    def rules(self) -> dict:
        """What the form says of the scheme itself."""
        said = [self.cleaned_data[f"tie_break_{n + 1}"] for n in range(MOST_TIE_BREAKS)]
        fields = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return fields | {"tie_breaks": [name for name in said if name]}

    def _post_clean(self):
        """The service checks the scheme as a whole."""


class ComponentForm(forms.ModelForm):
    class Meta:
        model = SchemeComponent
        fields = [
            "kind", "source", "weight", "aggregation", "trim", "per", "metric", "scaling", "worst",
            "best", "minimum",
        ]  # fmt: skip

    def __init__(self, *args, rounds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["source"].queryset = rounds
        for name in ("trim", "per", "scaling"):  # most components have none of them
            self.fields[name].required = False
        for name in ("aggregation", "trim", "per"):
            self.fields[name].only_for = SchemeComponent.Kind.JUDGES
        for name in ("metric", "scaling", "worst", "best"):
            self.fields[name].only_for = SchemeComponent.Kind.METRIC

    def clean_trim(self):
        return self.cleaned_data["trim"] or 1

    def clean_scaling(self):
        return self.cleaned_data["scaling"] or SchemeComponent.Scaling.BOUNDS

    def clean_per(self):
        return self.cleaned_data["per"] or SchemeComponent.Per.TOTAL

    def _post_clean(self):
        """The service checks the scheme as a whole."""


class _Components(BaseInlineFormSet):
    def validate_unique(self):
        """The service does."""


ComponentFormSet = inlineformset_factory(
    Scheme,
    SchemeComponent,
    form=ComponentForm,
    formset=_Components,
    extra=0,
    min_num=1,
    max_num=10,
    can_delete=True,
)


class AwardForm(forms.ModelForm):
    class Meta:
        model = Award
        fields = ["name_zh", "name_en", "ordinal", "first_rank", "last_rank"]


class AdvancementRuleForm(forms.ModelForm):
    class Meta:
        model = AdvancementRule
        fields = ["ties", "reserves", "wildcards"]


QUOTA_FIELDS = ("kind", "country", "track", "most", "least")


class QuotaForm(forms.ModelForm):
    class Meta:
        model = AdvancementQuota
        fields = QUOTA_FIELDS

    def __init__(self, *args, tracks, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["track"].queryset = tracks

    def clean_least(self):
        return self.cleaned_data["least"] or 0


QuotaFormSet = inlineformset_factory(
    AdvancementRule,
    AdvancementQuota,
    form=QuotaForm,
    formset=_Components,
    extra=0,
    max_num=60,
    can_delete=True,
)
