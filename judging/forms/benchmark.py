from django import forms
from django.utils.translation import gettext_lazy as _

from contest.models import Submission
from judging.metrics import METRIC_CHOICES
from judging.models import Benchmark


class BenchmarkForm(forms.ModelForm):
    """Settings and hidden files; the service checks them together."""

    metric = forms.ChoiceField(label=_("Metric"), choices=METRIC_CHOICES)
    extra_metrics = forms.MultipleChoiceField(
        label=_("Further metrics"),
        choices=METRIC_CHOICES,
        required=False,
        help_text=_("Shown beside the metric; they do not rank."),
    )
    reference = forms.FileField(
        label=_("Hidden reference (CSV)"),
        required=False,
        widget=forms.FileInput,
        help_text=_("One row an example: an id column and the true label or value."),
    )
    inputs = forms.FileField(
        label=_("Hidden inputs (CSV)"),
        required=False,
        widget=forms.FileInput,
        help_text=_("For ONNX models: the id column and one column a feature, all numbers."),
    )

    class Meta:
        model = Benchmark
        fields = [
            "metric",
            "extra_metrics",
            "accepts_predictions",
            "accepts_onnx",
            "reference",
            "inputs",
            "id_column",
            "target_column",
            "public_percent",
            "split_seed",
            "wall_seconds",
            "memory_mb",
        ]

    def _post_clean(self):
        """The service builds and checks the object; the form only reads its fields."""


class SubmitForm(forms.Form):
    file = forms.FileField(label=_("File"))
    kind = forms.ChoiceField(label=_("Kind"), choices=Submission.Kind)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    client_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(k, Submission.Kind(k).label) for k in kinds]
        if len(kinds) == 1:
            self.fields["kind"].widget = forms.HiddenInput()
            self.fields["kind"].initial = kinds[0]
