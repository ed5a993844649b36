"""The organizer's desk: event, tracks, rounds, teams, log."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contest.access import organizer_required, round_organizer_required
from contest.desk_forms import (
    EventForm,
    OrganizerForm,
    ReasonForm,
    RoundForm,
    TableForm,
    TrackForm,
)
from contest.errors import Refused
from contest.models import Event, EventRole, Round, Team, Track
from contest.models.team import team_search
from contest.numbers import whole
from contest.roles import may_create_events, organized_events
from contest.services import events as event_services
from contest.services import rounds as round_services
from contest.services import team_imports
from contest.services import teams as team_services
from contest.states import EventStatus, ParticipationStatus, RoundStatus, TeamStatus
from contest.views.saying import say
from contest.views.tables import look_or_take_in, template, written_message


@login_required
def desks(request):
    """The events that the person organizes."""
    if not (may_create_events(request.user) or organized_events(request.user).exists()):
        raise PermissionDenied
    return render(
        request,
        "contest/desks.html",
        {
            "events": organized_events(request.user).annotate(team_count=Count("teams")),
            "may_create": may_create_events(request.user),
        },
    )


def _event_form(request, instance: Event) -> EventForm:
    return EventForm(request.POST or None, instance=instance)


def _zone_of(request, event: Event):
    """The zone in which the form's times are meant: the one chosen in the same form."""
    chosen = Event(time_zone=request.POST.get("time_zone") or event.time_zone)
    try:
        return chosen.tzinfo
    except (KeyError, ValueError, OSError):  # not a zone; the form says so
        return event.tzinfo


@login_required
def event_create(request):
    """Make an event; whoever makes it organizes it."""
    if not may_create_events(request.user):
        raise PermissionDenied
    event = Event()
    with timezone.override(_zone_of(request, event)):
        form = _event_form(request, event)
        if request.method == "POST" and form.is_valid():
            event = event_services.create_event(request.user, **form.cleaned_data)
            return redirect("desk-tracks", event.slug)
        return render(request, "contest/event_create.html", {"form": form})


@organizer_required
def desk(request, event):
    """Where the event stands and what to do next."""
    rounds = (
        event.rounds.select_related("track")
        .annotate(
            team_count=Count(
                "participations",
                filter=Q(participations__status=ParticipationStatus.ACTIVE),
            )
        )
        .order_by("track__ordinal", "track", "ordinal")
    )
    for round in rounds:
        round.event = event
    competitors = event.teams.exclude(status=TeamStatus.BASELINE)
    teams = competitors.aggregate(
        all=Count("pk"), registered=Count("pk", filter=Q(status=TeamStatus.REGISTERED))
    )
    return render(
        request,
        "contest/desk_overview.html",
        {
            "event": event,
            "rounds": rounds,
            "teams": teams,
            "countries": competitors.values("country").distinct().count(),
            "track_count": event.tracks.count(),
            "log": event.log.select_related("by")[:8],
        },
    )


@organizer_required
def desk_event(request, event):
    """Edit the event, its organizers, its publication."""
    with timezone.override(_zone_of(request, event)):
        form = _event_form(request, event)
        if request.method == "POST" and form.is_valid():
            event_services.save_event(form.save(commit=False), request.user)
            messages.success(request, _("Saved."))
            return redirect("desk-event", event.slug)
        if form.errors:
            event = Event.objects.get(pk=event.pk)  # as stored, for what surrounds the form
        return render(
            request,
            "contest/desk_event.html",
            {
                "event": event,
                "form": form,
                "roles": event.roles.select_related("user"),
                "organizer_form": OrganizerForm(),
                "moves": [
                    (status, label)
                    for status, label in EventStatus.choices
                    if event.may_move(status)
                ],
            },
        )


@require_POST
@organizer_required
def desk_event_move(request, event):
    """Publish, hide or archive the event."""
    status = request.POST.get("status", "")
    if status == EventStatus.PUBLISHED:
        event_services.publish_event(event, request.user)
    else:
        event.move_to(status, by=request.user)
    messages.success(request, _("The event is now “%s”.") % event.get_status_display())
    return redirect("desk-event", event.slug)


@require_POST
@organizer_required
def desk_organizer_add(request, event):
    form = OrganizerForm(request.POST)
    if form.is_valid():
        try:
            event_services.add_organizer(event, form.cleaned_data["email"], request.user)
        except Refused as error:
            say(request, error)
    else:
        messages.error(request, " ".join(form.errors.get("email", [])))
    return redirect("desk-event", event.slug)


@require_POST
@organizer_required
def desk_organizer_remove(request, event, pk):
    event_services.remove_organizer(get_object_or_404(EventRole, event=event, pk=pk), request.user)
    return redirect("desk-event", event.slug)


@organizer_required
def desk_tracks(request, event):
    """The tracks, nested, and a form to add one."""
    return _track_page(request, event, Track(event=event))


@organizer_required
def desk_track(request, event, pk):
    """Edit one track."""
    return _track_page(request, event, get_object_or_404(Track, event=event, pk=pk))


def _track_page(request, event, track):
    form = TrackForm(request.POST or None, instance=track)
    if request.method == "POST" and form.is_valid():
        event_services.save_track(form.save(commit=False), request.user)
        messages.success(request, _("Saved."))
        return redirect("desk-tracks", event.slug)
    tracks = event.tracks.annotate(
        team_count=Count("teams", distinct=True), round_count=Count("rounds", distinct=True)
    )
    return render(
        request,
        "contest/desk_tracks.html",
        {"event": event, "tracks": tracks, "form": form, "track": track if track.pk else None},
    )


@require_POST
@organizer_required
def desk_track_delete(request, event, pk):
    event_services.delete_track(get_object_or_404(Track, event=event, pk=pk), request.user)
    return redirect("desk-tracks", event.slug)


@organizer_required
def desk_rounds(request, event):
    """The rounds of every track, and a form to add one."""
    form = RoundForm(request.POST or None, instance=Round(), event=event)
    if request.method == "POST" and form.is_valid():
        round = round_services.save_round(form.save(commit=False), request.user)
        messages.success(request, _("The round was added."))
        return redirect("desk-round", event.slug, round.slug)
    rounds = event.rounds.select_related("track").annotate(team_count=Count("participations"))
    return render(
        request, "contest/desk_rounds.html", {"event": event, "rounds": rounds, "form": form}
    )


@round_organizer_required
def desk_round(request, round):
    """One round: its settings, its state, who takes part, the running order."""
    form = RoundForm(request.POST or None, instance=round, event=round.event)
    if request.method == "POST" and form.is_valid():
        saved = round_services.save_round(form.save(commit=False), request.user)
        messages.success(request, _("Saved."))
        return redirect("desk-round", round.event.slug, saved.slug)
    if form.errors:
        round = Round.objects.select_related("event", "track").get(pk=round.pk)
    return render(
        request,
        "contest/desk_round.html",
        {
            "event": round.event,
            "round": round,
            "form": form,
            "reason_form": ReasonForm(),
            "participations": round.participations.select_related("team", "team__entry"),
            "missing": round_services.missing_sheets(round)
            if round.status == RoundStatus.OPEN
            else 0,
        },
    )


@require_POST
@round_organizer_required
def desk_round_move(request, round):
    """Open, close, reopen, publish or unpublish a round."""
    action, reason = request.POST.get("action"), request.POST.get("reason", "")
    moves = {
        "open": lambda: round_services.open_round(round, request.user),
        "close": lambda: round_services.close_round(
            round, request.user, told=whole(request.POST.get("missing", "")) or 0
        ),
        "reopen": lambda: round_services.reopen_round(round, request.user, reason),
        "publish": lambda: round_services.publish_round(round, request.user),
        "unpublish": lambda: round_services.unpublish_round(round, request.user, reason),
    }
    if action not in moves:
        raise Refused(_("Unknown action."), code="unknown_action")
    try:
        moves[action]()
        messages.success(request, _("The round is now “%s”.") % round.get_status_display())
    except Refused as error:
        say(request, error)
    return redirect("desk-round", round.event.slug, round.slug)


@require_POST
@round_organizer_required
def desk_running_order(request, round):
    """Take the running order as numbers, one a team; empty ones come last."""
    placed = []
    for participation in round.participations.all():
        text = request.POST.get(f"order-{participation.pk}", "").strip()
        if text:
            number = whole(text)
            if number is None or number > 32767:
                raise Refused(
                    _("The running order takes whole numbers, not “%(text)s”."),
                    code="bad_running_order",
                    params={"text": text},
                )
            placed.append((number, participation))
    numbers = [number for number, _participation in placed]
    if len(set(numbers)) != len(numbers):
        raise Refused(
            _("Two teams have the same number in the running order."), code="bad_running_order"
        )
    placed.sort(key=lambda pair: pair[0])
    round_services.set_running_order(round, [p for _n, p in placed], request.user)
    messages.success(request, _("The running order was saved."))
    return redirect("desk-round", round.event.slug, round.slug)


@organizer_required
def desk_teams(request, event):
    """Every team, to search, filter, confirm or disqualify."""
    teams = event.teams.exclude(status=TeamStatus.BASELINE)
    teams = teams.select_related("track", "entry").prefetch_related("memberships__user")
    search = request.GET.get("q", "").strip()
    if search:
        teams = teams.filter(team_search(search))
    status, track = request.GET.get("status", ""), request.GET.get("track", "")
    if status in TeamStatus.values:
        teams = teams.filter(status=status)
    if (track_id := whole(track)) is not None:
        teams = teams.filter(track=track_id)
    page = Paginator(teams, 50).get_page(request.GET.get("page"))
    return render(
        request,
        "contest/desk_teams.html",
        {
            "event": event,
            "page": page,
            "search": search,
            "status": status,
            "track": track,
            "statuses": [c for c in TeamStatus.choices if c[0] != TeamStatus.BASELINE],
            "tracks": event.tracks.all(),
        },
    )


@require_POST
@organizer_required
def desk_team_move(request, event, code):
    """Confirm, disqualify or reinstate a team."""
    team = get_object_or_404(Team, event=event, code=code)
    action, reason = request.POST.get("action"), request.POST.get("reason", "")
    moves = {
        "confirm": lambda: team_services.confirm_team(team, request.user),
        "disqualify": lambda: team_services.disqualify_team(team, request.user, reason),
        "reinstate": lambda: team_services.reinstate_team(team, request.user, reason),
    }
    if action not in moves:
        raise Refused(_("Unknown action."), code="unknown_action")
    try:
        moves[action]()
    except Refused as error:
        say(request, error)
    return redirect("desk-teams", event.slug)


@organizer_required
def desk_team_import(request, event):
    """Take teams in from a table: say what it would do; once that was looked at, do it."""
    shown = {}
    if request.method == "POST":
        done, shown = look_or_take_in(
            request,
            team_imports.COLUMNS,
            lambda table: team_imports.plan(event, table),
            lambda table, seen: team_imports.take_in(event, table, request.user, seen),
        )
        if done is not None:
            messages.success(request, written_message(done))
            return redirect("desk-teams", event.slug)
    return render(
        request,
        "contest/desk_team_import.html",
        {"event": event, "our_columns": team_imports.COLUMNS, "form": TableForm(), **shown},
    )


@require_safe
@organizer_required
def desk_team_template(request, event, fmt):
    """The teams that compete as such a table: a template, and taken in again no change."""
    return template(f"{event.slug}-teams", fmt, *team_imports.template_rows(event))


@organizer_required
def desk_log(request, event):
    """Who decided what, when and why."""
    page = Paginator(event.log.select_related("by"), 50).get_page(request.GET.get("page"))
    return render(request, "contest/desk_log.html", {"event": event, "page": page})
