from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from contest.models import Submission
from judging.metrics import METRIC_CHOICES
from judging.models import Benchmark

DIRECTIONS = {"higher": True, "lower": False}


def columns_from_text(text: str) -> list[dict]:
    """Columns from lines of ``key; higher or lower; Chinese; English; worst; best; hidden``."""
    columns = []
    for n, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.replace("；", ";").split(";")]
        parts += [""] * (7 - len(parts))
        key, direction, label_zh, label_en, worst, best, hidden = parts[:7]
        if not key or direction not in ("", *DIRECTIONS):
            raise ValidationError(
                _("Line %(n)s: expected a name, then “higher” or “lower”, found “%(found)s”.")
                % {"n": n, "found": line.strip()[:100]}
            )
        rising = DIRECTIONS.get(direction, True)
        try:
            bounds = (
                float(worst) if worst else float(not rising),
                float(best) if best else float(rising),
            )
        except ValueError:
            raise ValidationError(
                _("Line %(n)s: the worst and the best value must be numbers.") % {"n": n}
            ) from None
        columns.append(
            {
                "key": key[:100],
                "label_zh": label_zh[:100],
                "label_en": label_en[:100],
                "greater_is_better": rising,
                "worst": bounds[0],
                "best": bounds[1],
                "hidden": hidden.lower() == "hidden",
            }
        )
    if len({column["key"] for column in columns}) != len(columns):
        raise ValidationError(_("Each name may stand once."))
    return columns


def columns_to_text(columns: list[dict]) -> str:
    """The lines that ``columns_from_text`` makes these columns from."""
    return "\n".join(
        "; ".join(
            [
                column["key"],
                "higher" if column.get("greater_is_better", True) else "lower",
                column.get("label_zh", ""),
                column.get("label_en", ""),
                f"{column.get('worst', 0.0):g}",
                f"{column.get('best', 1.0):g}",
                *(["hidden"] if column.get("hidden") else []),
            ]
        )
        for column in columns
    )


class BenchmarkForm(forms.ModelForm):
    """Settings and hidden files; the service checks them together."""

    metric = forms.CharField(
        label=_("Metric"),
        max_length=100,
        widget=forms.TextInput(attrs={"list": "metrics", "autocomplete": "off"}),
        help_text=_("One of the list, or the name of a metric of your own."),
    )
    extra_metrics = forms.MultipleChoiceField(
        label=_("Further metrics"),
        required=False,
        help_text=_("Shown beside the metric. Schemes can weigh them, too."),
    )
    own_columns = forms.CharField(
        label=_("Metrics of your own"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "score; higher; 得分; score; 0; 1"}),
        help_text=_(
            "One a line: name; higher or lower (which is better); Chinese; English; worst; best; "
            "“hidden” where teams may not see it before publication."
        ),
    )
    reference = forms.FileField(
        label=_("Hidden reference"),
        required=False,
        widget=forms.FileInput,
        help_text=_(
            "A table with an id column and the true label or value (CSV, JSON Lines, Parquet); for "
            "programs, an archive of whatever they read."
        ),
    )
    inputs = forms.FileField(
        label=_("Hidden inputs"),
        required=False,
        widget=forms.FileInput,
        help_text=_(
            "For models and code: the id column and one column a feature; for programs, an archive."
        ),
    )
    metric_program = forms.FileField(
        label=_("Your own metric (Python)"),
        required=False,
        widget=forms.FileInput,
        help_text=_("A file with score(truth, predicted); see the documentation."),
    )
    scoring_program = forms.FileField(
        label=_("Scoring program"),
        required=False,
        widget=forms.FileInput,
        help_text=_("An archive with a metadata.yaml that declares its command."),
    )
    ingestion_program = forms.FileField(
        label=_("Ingestion program"),
        required=False,
        widget=forms.FileInput,
        help_text=_("Runs the team's code on the hidden inputs; never sees the reference."),
    )
    sample = forms.FileField(
        label=_("Sample submission"),
        required=False,
        widget=forms.FileInput,
        help_text=_("What teams may start from. For predictions one is made where this is empty."),
    )

    FILES = (
        "reference", "inputs", "metric_program", "scoring_program", "ingestion_program", "sample",
    )  # fmt: skip

    class Meta:
        model = Benchmark
        fields = [
            "protocol",
            "metric",
            "extra_metrics",
            "own_columns",
            "answers",
            "accepts_predictions",
            "accepts_onnx",
            "accepts_code",
            "accepts_container",
            "reference",
            "inputs",
            "metric_program",
            "scoring_program",
            "ingestion_program",
            "sample",
            "id_column",
            "target_column",
            "public_percent",
            "split_seed",
            "wall_seconds",
            "memory_mb",
            "disk_mb",
            "resource_class",
            "logs_for",
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        own = [(c["key"], c.get("label_en") or c["key"]) for c in self.instance.columns]
        if self.is_bound:
            try:
                typed = columns_from_text(self.data.get("own_columns", ""))
            except ValidationError:
                typed = []
            own = [(c["key"], c["label_en"] or c["key"]) for c in typed]
        self.fields["extra_metrics"].choices = [*own, *METRIC_CHOICES]
        self.fields["own_columns"].initial = columns_to_text(self.instance.columns)

        for name in ("metric_program", "id_column", "target_column", "answers", "public_percent",
                     "split_seed", "accepts_onnx", "accepts_container"):  # fmt: skip
            self.fields[name].only_for = "table"
        self.fields["scoring_program"].only_for = "codabench evalai"
        self.fields["ingestion_program"].only_for = "codabench"

    GROUPS = (
        (_("How it is scored"), (
            "protocol", "metric", "extra_metrics", "own_columns", "answers", "public_percent",
            "split_seed",
        )),
        (_("What teams send"), (
            "accepts_predictions", "accepts_onnx", "accepts_code", "accepts_container", "id_column",
            "target_column", "sample",
        )),
        (_("Hidden files"), (
            "reference", "inputs", "metric_program", "scoring_program", "ingestion_program",
        )),
        (_("Limits"), ("wall_seconds", "memory_mb", "disk_mb", "resource_class", "logs_for")),
    )  # fmt: skip

    def groups(self):
        """(title, fields) for the page."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def clean_own_columns(self):
        return columns_from_text(self.cleaned_data["own_columns"])

    def _post_clean(self):
        """The service builds and checks the object; the form only reads its fields."""

    def for_service(self) -> tuple[dict, dict]:
        """(files, fields) as ``define_from_upload`` takes them."""
        fields = dict(self.cleaned_data)
        fields["columns"] = fields.pop("own_columns")
        return {name: fields.pop(name) for name in self.FILES}, fields


class _FileForm(forms.Form):
    file = forms.FileField(label=_("File"))
    kind = forms.ChoiceField(label=_("Kind"), choices=Submission.Kind)
    client_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(k, Submission.Kind(k).label) for k in kinds]
        if len(kinds) == 1:
            self.fields["kind"].widget = forms.HiddenInput()
            self.fields["kind"].initial = kinds[0]


class SubmitForm(_FileForm):
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    field_order = ["file", "kind", "note"]


class BaselineForm(_FileForm):
    name_zh = forms.CharField(label=_("Name (Chinese)"), max_length=200, required=False)
    name_en = forms.CharField(label=_("Name (English)"), max_length=200, required=False)
