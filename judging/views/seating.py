"""The organizer's pages for panels: who sits where, who scores whom, and who may not."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contest.access import round_organizer_required
from contest.desk_forms import TableForm
from contest.errors import Refused
from contest.models import Team
from contest.numbers import whole
from contest.views.tables import look_or_take_in, template, written_message
from judging.forms.panels import DesignForm, PanelForm, RecusalForm, SubstituteForm
from judging.models import Judge, Panel, Recusal
from judging.services import designs, panel_imports, seating
from judging.services import panels as services
from judging.services.substitutes import readmit, substitute

LINES = 50  # teams a page of the matrix
ACTS = ("assign", "confirm", "unassign", "readmit")


def _say(request, error: ValidationError) -> None:
    messages.error(request, " ".join(str(message) for message in error.messages))


def _panel(round, pk: int) -> Panel:
    return get_object_or_404(
        Panel.objects.select_related("round__event", "rubric", "chair"), round=round, pk=pk
    )


def _to(panel: Panel):
    return redirect("desk-panel-edit", panel.round.event.slug, panel.round.slug, panel.pk)


def _saved(request, round, form, panel: Panel | None = None) -> Panel | None:
    """The panel as the form says, or None with the form telling what is wrong."""
    data = dict(form.cleaned_data)
    try:
        return services.save_panel(
            round,
            request.user,
            panel,
            rubric=data.pop("rubric"),
            judges=data.pop("judges"),
            fields=data,
        )
    except ValidationError as error:
        # Another version of the rubric is put in force on a page that says first what it changes.
        form.other_version = getattr(error, "code", "") == "version_changes_marks"
        fields = getattr(error, "error_dict", {None: error})
        for name, wrong in fields.items():
            form.add_error(name if name in form.fields else None, wrong)
    return None


# --- All panels of a round -----------------------------------------------------------------------


@round_organizer_required
def desk_panel(request, round):
    """The round's panels at a glance, a form to add one, and conflicts of interest."""
    event = round.event
    form = PanelForm(request.POST or None, instance=Panel(round=round), event=event)
    if request.method == "POST" and form.is_valid() and (made := _saved(request, round, form)):
        messages.success(request, _("Saved."))
        return _to(made)
    participations = round.participations.select_related("team")
    panels = list(
        round.panels.select_related("rubric", "chair", "round").prefetch_related("judges")
    )
    loads = seating.loads(round)
    for panel in panels:
        panel.seats = [
            (judge, judge.pk == panel.chair_id, *loads.get((panel.pk, judge.pk), (0, 0)))
            for judge in panel.judges.all()
        ]
    return render(
        request,
        "judging/desk_panels.html",
        {
            "event": event,
            "round": round,
            "panels": panels,
            "form": form,
            "recusals": Recusal.objects.filter(
                judge__event=event, team__participations__round=round
            ).select_related("judge", "team", "declared_by"),
            "recusal_form": RecusalForm(
                event=event, teams=Team.objects.filter(participations__round=round)
            ),
            "team_count": participations.count(),
        },
    )


@require_POST
@round_organizer_required
def desk_recuse(request, round):
    teams = Team.objects.filter(participations__round=round)
    form = RecusalForm(request.POST, event=round.event, teams=teams)
    if form.is_valid():
        data = form.cleaned_data
        recusal = services.recuse(data["judge"], data["team"], request.user, data["reason"])
        said = [effect.sentence for effect in services.effects(recusal)]
        messages.success(request, " ".join([_("The conflict of interest is recorded."), *said]))
    else:
        messages.error(request, _("Name the judge, the team and the reason."))
    return redirect("desk-panel", round.event.slug, round.slug)


@require_POST
@round_organizer_required
def desk_recusal_lift(request, round, pk):
    recusal = get_object_or_404(Recusal, judge__event=round.event, pk=pk)
    try:
        services.lift_recusal(recusal, request.user, request.POST.get("reason", ""))
        messages.success(request, _("Lifted. The judge's submitted sheets count again."))
    except Refused as error:
        _say(request, error)
    return redirect("desk-panel", round.event.slug, round.slug)


# --- One panel -----------------------------------------------------------------------------------


@round_organizer_required
def desk_panel_edit(request, round, pk):
    """The panel: its matrix, and everything that changes it."""
    panel = _panel(round, pk)
    form = PanelForm(request.POST or None, instance=panel, event=round.event)
    stored = _panel(round, pk)
    if request.method == "POST" and form.is_valid() and _saved(request, round, form, stored):
        messages.success(request, _("Saved."))
        return _to(panel)
    page = Paginator(_lines(round), LINES).get_page(request.GET.get("page"))
    shown = seating.matrix(panel, page.object_list)
    return render(
        request,
        "judging/desk_panel.html",
        {
            "event": round.event,
            "round": round,
            "panel": panel,
            "matrix": shown,
            "akin": services.akin_assignments(panel=panel),
            "page": page,
            "states": [state for state in seating.State if state != seating.State.OUT],
            "form": form,
            "design_form": DesignForm(
                initial={"k": min(3, max(1, len(shown.columns))), "keep": True}
            ),
            "substitute_form": SubstituteForm(panel=panel),
            "table_form": TableForm(),
        },
    )


def _lines(round):
    return round.participations.select_related("team")


@require_POST
@round_organizer_required
def desk_assign(request, round, pk):
    """Give one team to one judge, take it away, or let a released judge go on with it: ``cell`` is
    the act, the judge and the team.

    To htmx the row, the loads and a note go back; without it, the page.
    """
    panel = _panel(round, pk)
    act, judge, participation = _cell(request, round)
    note, is_wrong = "", False
    reason = request.POST.get("reason", "")
    try:
        _do(act, panel, judge, participation, request.user, reason)
    except Refused as error:
        if error.code == "same_organisation" or (
            act == "readmit" and error.code == "reason_required" and "reason" not in request.POST
        ):
            note = "ask"
        else:
            note, is_wrong = " ".join(str(said) for said in error.messages), True
            if not request.htmx:
                messages.error(request, note)
    if not request.htmx and note != "ask":
        return _to(panel)
    context = {
        "event": round.event,
        "round": round,
        "panel": panel,
        "act": act,
        "judge": judge,
        "participation": participation,
        "note": note,
        "is_wrong": is_wrong,
    }
    if not request.htmx:
        return render(request, "judging/desk_assign.html", context)
    shown = seating.matrix(panel, [participation])
    return render(
        request,
        "judging/_assigned.html",
        {**context, "matrix": shown, "line": shown.lines[0], "is_update": True},
    )


def _do(act, panel, judge, participation, by, reason) -> None:
    """What a tap on a cell of the panel asks for. Raises Refused."""
    if act in ("unassign", "readmit"):
        existing = panel.assignments.filter(judge=judge, participation=participation).first()
        if existing is None:
            return  # taken away meanwhile, or another panel's: the cell shows which
        if act == "unassign":
            services.unassign(existing, by)
        else:
            readmit(existing, by, reason)
    else:
        services.assign(panel, judge, participation, by, in_spite=reason)


def _cell(request, round):
    act, *ids = request.POST.get("cell", "").split(".")
    numbers = [whole(text) for text in ids]
    if act not in ACTS or len(numbers) != 2 or None in numbers:
        raise Refused(_("Name a judge and a team."), code="bad_request")
    judge = get_object_or_404(Judge, event=round.event, pk=numbers[0])
    participation = get_object_or_404(_lines(round), pk=numbers[1])
    return act, judge, participation


@require_POST
@round_organizer_required
def desk_assign_all(request, round, pk):
    panel = _panel(round, pk)
    count, left_out = services.assign_all(panel, request.user)
    messages.success(request, _("%(count)s assignments were added.") % {"count": count})
    if left_out:
        pairs = ", ".join(f"{judge.name} – {team.code}" for judge, team in left_out)
        messages.warning(
            request,
            _("Left out, for conflict of interest or the same organisation: %(pairs)s.")
            % {"pairs": pairs},
        )
    return _to(panel)


@round_organizer_required
def desk_design(request, round, pk):
    """Propose a balanced assignment with its measures; apply the one that was looked at."""
    panel = _panel(round, pk)
    form = DesignForm(request.POST or request.GET or None)
    proposal = picture = None
    wish = form.wish() if form.is_valid() else None
    if wish is not None:
        try:
            if request.method == "POST":
                applied = designs.apply(panel, wish, request.user, request.POST.get("seen", ""))
                messages.success(
                    request,
                    _("%(added)s assignments were added and %(removed)s taken back.")
                    % {"added": len(applied.added), "removed": len(applied.removed)},
                )
                return _to(panel)
        except ValidationError as error:
            _say(request, error)
        try:
            proposal = designs.propose(panel, wish)
            picture = _heat(proposal)
        except ValidationError as error:
            form.add_error(None, error)
    return render(
        request,
        "judging/desk_design.html",
        {
            "event": round.event,
            "round": round,
            "panel": panel,
            "form": form,
            "proposal": proposal,
            "rows": _proposed(proposal) if proposal else [],
            "wish": wish,
            "another": wish.query(designs.new_seed()) if wish else "",
            "picture": picture,
        },
    )


def _proposed(proposal: designs.Proposal) -> list:
    """The proposal line by line: kept, new, taken back or nothing, for each judge."""
    added = set(proposal.added)
    removed = {(a.judge_id, a.participation_id) for a in proposal.removed}
    rows = []
    for participation in proposal.participations:
        cells = []
        for judge in proposal.judges:
            pair = (judge.pk, participation.pk)
            cells.append(
                "new" if pair in added
                else "kept" if pair in proposal.design.pairs
                else "removed" if pair in removed
                else "barred" if pair in proposal.barred
                else ""
            )  # fmt: skip
        rows.append((participation, cells, sum(cell in ("new", "kept") for cell in cells)))
    return rows


def _heat(proposal: designs.Proposal) -> dict | None:
    """Teams in common of every two judges, for the picture."""
    judges = proposal.judges
    if len(judges) < 3:
        return None
    shared = proposal.design.overlaps
    place = {judge.pk: n for n, judge in enumerate(judges)}
    cells = []
    for (a, b), count in shared.items():
        cells += [[place[a], place[b], count], [place[b], place[a], count]]
    return {
        "names": [judge.name for judge in judges],
        "cells": cells,
        "most": max(shared.values()),
        "label": _("teams in common"),
    }


@require_POST
@round_organizer_required
def desk_substitute(request, round, pk):
    panel = _panel(round, pk)
    form = SubstituteForm(request.POST, panel=panel)
    if not form.is_valid():
        messages.error(request, _("Name who leaves, who takes over, and the reason."))
        return _to(panel)
    data = form.cleaned_data
    try:
        done = substitute(panel, data["out"], data["successor"], request.user, data["reason"])
    except Refused as error:
        _say(request, error)
        return _to(panel)
    messages.success(
        request,
        _(
            "%(successor)s takes over %(given)s teams from %(out)s. Submitted before and counted: "
            "%(submitted)s. Begun and kept on record: %(released)s."
        )
        % {
            "successor": data["successor"].name,
            "out": data["out"].name,
            "given": len(done.given) + len(done.had),
            "submitted": len(done.submitted),
            "released": len(done.released),
        },
    )
    if done.left:
        teams = ", ".join(f"{p.team.code} ({why})" for p, why in done.left)
        messages.warning(
            request, _("Nobody has taken over: %(teams)s. Assign them below.") % {"teams": teams}
        )
    return _to(panel)


# --- Tables --------------------------------------------------------------------------------------


def _require_kind(kind: str) -> None:
    if kind not in panel_imports.COLUMNS:
        raise Http404


@require_safe
@round_organizer_required
def desk_panel_import(request, round):
    """Take judges or assignments in from a table."""
    return _imports(request, round)


def _imports(request, round, **context):
    kinds = [
        (panel_imports.JUDGES, _("Judges"), panel_imports.COLUMNS[panel_imports.JUDGES]),
        (
            panel_imports.ASSIGNMENTS,
            _("Assignments"),
            panel_imports.COLUMNS[panel_imports.ASSIGNMENTS],
        ),
    ]
    return render(
        request,
        "judging/desk_panel_import.html",
        {"event": round.event, "round": round, "kinds": kinds, "form": TableForm(), **context},
    )


@require_POST
@round_organizer_required
def desk_panel_import_kind(request, round, kind):
    """Say what a table would do; once that was looked at, do it."""
    _require_kind(kind)
    done, shown = look_or_take_in(
        request,
        panel_imports.COLUMNS[kind],
        lambda table: panel_imports.plan(kind, round, table),
        lambda table, seen: panel_imports.take_in(kind, round, table, request.user, seen),
    )
    if done is None:
        return _imports(request, round, kind=kind, **shown)
    messages.success(request, written_message(done))
    return redirect("desk-panel", round.event.slug, round.slug)


@require_safe
@round_organizer_required
def desk_panel_template(request, round, kind, fmt):
    """The table as it would be for what is there now: a template, and taken in again no change."""
    _require_kind(kind)
    return template(f"{round.slug}-{kind}", fmt, *panel_imports.template_rows(kind, round))
