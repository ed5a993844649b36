"""The organizer's pages for rubrics: the list, the builder, the preview, versions in force."""

from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Prefetch
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import organizer_required, round_organizer_required
from contest.errors import Refused
from contest.numbers import whole
from judging.forms.panels import CriterionForm, CriterionFormSet, RubricForm
from judging.models import Criterion, Panel, RecordEntry, Rubric
from judging.rubric_templates import TEMPLATES, RubricTemplate
from judging.services import rubric_versions
from judging.services.rubrics import (
    BadCriteria,
    copy_rubric,
    families,
    new_version,
    save_rubric,
    versions_of,
)
from judging.services.tablet import describe_rubric
from judging.services.totals import fraction_to_decimal
from judging.tablet_texts import texts

# Scales that are usual, as lowest, highest, step.
SCALES = [
    ("0", "10", "0.5"),
    ("0", "10", "1"),
    ("0", "100", "1"),
    ("1", "5", "1"),
    ("0", "5", "0.5"),
]


@organizer_required
def desk_rubrics(request, event):
    """Every rubric of the event, its versions together, and the panels that score by each."""
    marked = RecordEntry.objects.filter(criterion__rubric=OuterRef("pk"))
    rubrics = event.rubrics.annotate(
        criterion_count=Count("criteria"), was_used=Exists(marked)
    ).prefetch_related(Prefetch("panels", Panel.objects.select_related("round__track")))
    return render(
        request, "judging/desk_rubrics.html", {"event": event, "families": families(rubrics)}
    )


@organizer_required
def desk_rubric_new(request, event):
    """An empty builder, or one that a template has filled."""
    return _builder(request, event, None, TEMPLATES.get(request.GET.get("template", "")))


@organizer_required
def desk_rubric(request, event, pk):
    return _builder(request, event, get_object_or_404(Rubric, event=event, pk=pk))


def _builder(request, event, rubric: Rubric | None, template: RubricTemplate | None = None):
    """The rubric with its criteria on one page; read-only once marks were given by it."""
    locked = rubric is not None and rubric.is_in_use()
    source = template or rubric
    names = {name: getattr(source, name) for name in RubricForm.Meta.fields} if source else {}
    form = RubricForm(request.POST or None, instance=rubric or Rubric(event=event), initial=names)
    formset = CriterionFormSet(
        request.POST or None, initial=_initial(rubric, template), prefix="criteria"
    )
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        rows = formset.ordered_forms
        stored = Rubric.objects.get(pk=rubric.pk) if rubric else None
        try:
            save_rubric(
                event,
                request.user,
                stored,
                fields=form.cleaned_data,
                criteria=[_row(form) for form in rows],
            )
        except BadCriteria as error:
            for problem in error.problems:
                rows[problem.place].add_error(problem.field or None, problem.message)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("desk-rubrics", event.slug)
    context = {
        "event": event,
        "rubric": rubric,
        "form": form,
        "formset": formset,
        "rows": sorted(formset.forms, key=_place),
        "has_errors": bool(form.errors) or any(formset.errors),
        "scales": SCALES,
        "locked": locked,
        "template": template,
        "templates": TEMPLATES.values(),
    }
    if rubric is not None:
        versions = versions_of(rubric)
        context |= {
            "criteria": _as_shown(rubric),
            "versions": versions,
            "panels": Panel.objects.filter(rubric__in=[version.pk for version in versions])
            .select_related("round__track", "rubric")
            .order_by("round", "pk"),
        }
    return render(request, "judging/desk_rubric.html", context)


def _initial(rubric: Rubric | None, template: RubricTemplate | None) -> list[dict]:
    """What the rows hold before anybody fills them in."""
    names = [name for name in CriterionForm.base_fields if name != "code"]
    if template is not None:
        rows = [{name: getattr(line, name) for name in names} for line in template.criteria]
    elif rubric is not None:
        rows = list(rubric.criteria.values("code", *names))
    else:
        return [{}]
    for row in rows:
        for name in ("weight", "minimum", "maximum", "step"):
            row[name] = Decimal(f"{Decimal(row[name]).normalize():f}")  # 40, not 40.00
    return rows


def _row(form) -> dict:
    return {
        name: value for name, value in form.cleaned_data.items() if name not in ("DELETE", "ORDER")
    }


def _place(form) -> int:
    number = whole(str(form["ORDER"].value() or ""))
    return 10**6 if number is None else number


def _as_shown(rubric: Rubric) -> list[Criterion]:
    """The criteria, each with its share of the whole."""
    criteria = list(rubric.criteria.all())
    weights = sum(criterion.weight for criterion in criteria)
    for criterion in criteria:
        criterion.share = 100 * criterion.weight / weights if weights else None
    return criteria


@require_POST
@organizer_required
def desk_rubric_copy(request, event, pk):
    copy = copy_rubric(get_object_or_404(Rubric, event=event, pk=pk), request.user)
    return redirect("desk-rubric", event.slug, copy.pk)


@require_POST
@organizer_required
def desk_rubric_version(request, event, pk):
    """Make the version after this one, and go to change it."""
    version = new_version(get_object_or_404(Rubric, event=event, pk=pk), request.user)
    return redirect("desk-rubric", event.slug, version.pk)


@organizer_required
def desk_rubric_preview(request, event, pk):
    """The stored rubric on the sheet that judges have, to be tried."""
    rubric = get_object_or_404(Rubric, event=event, pk=pk)
    context = {
        "event": event,
        "rubric": rubric,
        "content": describe_rubric(rubric),
        "texts": texts(),
    }
    return render(request, "judging/desk_rubric_preview.html", context)


@round_organizer_required
def desk_panel_rubric(request, round, pk):
    """What another version of the panel's rubric would change; sent with a reason, it does."""
    panel = get_object_or_404(
        Panel.objects.select_related("round__event", "rubric"), round=round, pk=pk
    )
    versions = versions_of(panel.rubric)
    asked = whole((request.POST or request.GET).get("version", ""))
    chosen = next((version for version in versions if version.pk == asked), None)
    if request.method == "POST":
        return _put_in_force(request, round, panel, chosen)
    if chosen is None and versions[0].version > panel.rubric.version:
        chosen = versions[0]
    if chosen is not None and chosen.pk == panel.rubric_id:
        chosen = None
    found = rubric_versions.changes(panel, chosen) if chosen else None
    return render(
        request,
        "judging/desk_panel_rubric.html",
        {
            "event": round.event,
            "round": round,
            "panel": panel,
            "versions": versions,
            "chosen": chosen,
            "changes": found,
            "differing": [c for c in found.criteria if c.is_change] if found else [],
            "teams": [_shown(team) for team in found.teams] if found else [],
            "sheets": [_shown(sheet) for sheet in found.sheets] if found else [],
            "picture": _picture(found.teams) if found else None,
            "decided": round.is_decided,
        },
    )


def _put_in_force(request, round, panel: Panel, chosen: Rubric | None):
    event = round.event
    if chosen is None:
        raise Refused(_("Choose a version of the panel's rubric."), code="no_version")
    try:
        done = rubric_versions.apply(
            panel,
            chosen,
            request.user,
            request.POST.get("reason", ""),
            request.POST.get("seen", ""),
        )
    except Refused as error:
        messages.error(request, " ".join(error.messages))
        page = reverse("desk-panel-rubric", args=[event.slug, round.slug, panel.pk])
        return redirect(f"{page}?version={chosen.pk}")
    messages.success(request, _("Version %(n)s is in force.") % {"n": chosen.version})
    if back := len(done.going_back):
        messages.warning(
            request, _("%(count)s sheets went back to their judges.") % {"count": back}
        )
    return redirect("desk-panel", event.slug, round.slug)


def _shown(change) -> dict:
    """A sheet's or team's change with its numbers as decimals, which can be rounded."""
    numbers = {
        name: None if value is None else fraction_to_decimal(value)
        for name, value in (("before", change.before), ("after", change.after))
    }
    return {"change": change, **numbers}


def _picture(teams) -> dict:
    """Places before and after, for the chart; the first teams of either."""
    shown = [
        team
        for team in teams
        if team.place_before and team.place_after and min(team.place_before, team.place_after) <= 20
    ]
    if not shown:
        return {}
    return {
        "labels": [_("in force"), _("new version")],
        "teams": [
            {
                "name": team.participation.team.name,
                "ranks": [team.place_before, team.place_after],
                "moved": team.place_before != team.place_after,
            }
            for team in shown
        ],
    }
