from django import forms
from django.forms import BaseInlineFormSet, inlineformset_factory
from django.utils.translation import gettext_lazy as _

from contest.models import Round
from judging.models import Judge
from leaderboard.models import (
    AdvancementQuota,
    AdvancementRule,
    Award,
    Scheme,
    SchemeComponent,
)


class SchemeForm(forms.ModelForm):
    tie_breaks = forms.MultipleChoiceField(
        label=_("Tie-breaks"),
        choices=Scheme.TieBreak,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Asked in the order in which they stand here."),
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
        fields = ["advance_count", "decimals", "tie_breaks"]

    def __init__(self, *args, round: Round, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["without"].queryset = Judge.objects.filter(
            assignments__participation__round=round
        ).distinct()
        if not self.fields["without"].queryset.exists():
            del self.fields["without"]

    @property
    def rules(self) -> dict:
        """What the form says of the scheme itself."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self):
        """The service checks the scheme as a whole."""


class ComponentForm(forms.ModelForm):
    class Meta:
        model = SchemeComponent
        fields = [
            "kind", "source", "weight", "metric", "aggregation", "trim", "per", "worst", "best",
        ]  # fmt: skip

    def __init__(self, *args, rounds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["source"].queryset = rounds
        for name in ("trim", "per"):  # most methods have neither
            self.fields[name].required = False

    def clean_trim(self):
        return self.cleaned_data["trim"] or 1

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
