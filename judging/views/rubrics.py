from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import organizer_required
from judging.forms.panels import CriterionFormSet, RubricForm
from judging.models import Rubric
from judging.services.rubrics import copy_rubric, save_rubric


@organizer_required
def desk_rubrics(request, event):
    rubrics = event.rubrics.annotate(
        criterion_count=Count("criteria", distinct=True), panel_count=Count("panels", distinct=True)
    )
    return render(request, "judging/desk_rubrics.html", {"event": event, "rubrics": rubrics})


@organizer_required
def desk_rubric_new(request, event):
    return _builder(request, event, None)


@organizer_required
def desk_rubric(request, event, pk):
    return _builder(request, event, get_object_or_404(Rubric, event=event, pk=pk))


def _builder(request, event, rubric):
    """The rubric with its criteria on one page; read-only once marks were given by it."""
    locked = rubric is not None and rubric.is_in_use()
    initial = (
        list(
            rubric.criteria.values(
                "name_zh", "name_en", "weight", "minimum", "maximum", "step",
                "guide_zh", "guide_en",
            )
        )
        if rubric
        else [{}]
    )  # fmt: skip
    form = RubricForm(request.POST or None, instance=rubric or Rubric(event=event))
    formset = CriterionFormSet(request.POST or None, initial=initial, prefix="criteria")
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        criteria = [
            {name: value for name, value in row.cleaned_data.items() if name != "DELETE"}
            for row in formset.forms
            if row.cleaned_data and not row.cleaned_data.get("DELETE")
        ]
        stored = Rubric.objects.get(pk=rubric.pk) if rubric else None
        try:
            save_rubric(event, request.user, stored, names=form.cleaned_data, criteria=criteria)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("desk-rubrics", event.slug)
    criteria = list(rubric.criteria.all()) if rubric else []
    weights = sum(criterion.weight for criterion in criteria)
    for criterion in criteria:
        criterion.share = 100 * criterion.weight / weights
    return render(
        request,
        "judging/desk_rubric.html",
        {
            "event": event,
            "rubric": rubric,
            "criteria": criteria,
            "form": form,
            "formset": formset,
            "locked": locked,
        },
    )


@require_POST
@organizer_required
def desk_rubric_copy(request, event, pk):
    copy = copy_rubric(get_object_or_404(Rubric, event=event, pk=pk), request.user)
    return redirect("desk-rubric", event.slug, copy.pk)
