"""Pages of a team's members."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import team_required, visible_event
from contest.errors import Refused
from contest.forms import EntryForm, FileForm, InviteForm, RegisterForm, TeamForm
from contest.models import EntryFile, Event, Invitation, Membership, Team
from contest.roles import is_captain, is_organizer
from contest.services import entries as entry_services
from contest.services import teams as team_services
from contest.states import ParticipationStatus, RoundStatus, TeamStatus


def _say(request, error: ValidationError) -> None:
    for message in error.messages:
        messages.error(request, message)


@login_required
def my_teams(request):
    """The teams the person belongs to, and the events that can be entered."""
    teams = (
        Team.objects.filter(memberships__user=request.user)
        .select_related("event", "track", "entry")
        .prefetch_related("participations__round")
        .order_by("-created_at")
    )
    open_events = [e for e in Event.objects.visible_to(request.user) if e.is_registration_open]
    return render(request, "contest/my_teams.html", {"teams": teams, "open_events": open_events})


@login_required
def register(request, slug):
    """Register a team in a track of the event."""
    event = visible_event(request, slug)
    if hasattr(request.user, "judge"):
        raise PermissionDenied
    if not event.is_registration_open:
        return render(request, "contest/registration_closed.html", {"event": event})
    track_form = RegisterForm(request.POST or None, event=event)
    team_form = TeamForm(request.POST or None)
    entry_form = EntryForm(request.POST or None)
    forms = (track_form, team_form, entry_form)
    # All three are checked, so that all errors are told at once.
    if request.method == "POST" and all(tuple(form.is_valid() for form in forms)):
        try:
            team = team_services.register_team(
                by=request.user,
                track=track_form.cleaned_data["track"],
                team=team_form.cleaned_data,
                entry=entry_form.cleaned_data,
            )
        except ValidationError as error:
            track_form.add_error(None, error.messages)
        else:
            messages.success(
                request, _("Registered. Your team's code is %(code)s.") % {"code": team.code}
            )
            return redirect(team)
    return render(
        request,
        "contest/team_register.html",
        {"event": event, "forms": forms},
    )


@team_required()
def team(request, team):
    """The team: members, entry, rounds and what to do next."""
    participations = team.participations.select_related("round", "round__track").order_by(
        "round__ordinal"
    )
    organizes = is_organizer(request.user, team.event)
    shown = [p for p in participations if organizes or p.round.status != RoundStatus.DRAFT]
    for participation in shown:
        participation.round.event = team.event
    return render(
        request,
        "contest/team.html",
        {
            "event": team.event,
            "team": team,
            "entry": team.entry,
            "files": team.entry.files.all(),
            "memberships": team.memberships.select_related("user"),
            "invitations": team.invitations.filter(accepted_at=None),
            "participations": shown,
            "is_captain": is_captain(request.user, team),
            "organizes": organizes,
            "may_edit": _may_edit(request.user, team),
            "invite_form": InviteForm(),
            "file_form": FileForm(),
            "active": ParticipationStatus.ACTIVE,
        },
    )


def _may_edit(user, team: Team) -> bool:
    """Members while registration is open, organizers always."""
    if is_organizer(user, team.event):
        return True
    return team.event.is_registration_open and team.status in (
        TeamStatus.REGISTERED,
        TeamStatus.CONFIRMED,
    )


def _require_edit(user, team: Team) -> None:
    if not _may_edit(user, team):
        raise Refused(
            _("The team and its entry can be changed only while registration is open."),
            code="registration_closed",
        )


@team_required()
def team_edit(request, team):
    """Names, organisation, country."""
    _require_edit(request.user, team)
    form = TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        stored = Team.objects.select_related("event", "track").get(pk=team.pk)
        team_services.edit_team(stored, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect(team)
    return render(
        request, "contest/team_edit.html", {"event": team.event, "team": team, "form": form}
    )


@team_required()
def entry_edit(request, team):
    """The project the team enters with."""
    _require_edit(request.user, team)
    form = EntryForm(request.POST or None, instance=team.entry)
    if request.method == "POST" and form.is_valid():
        entry_services.save_entry(team, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect(team)
    return render(
        request, "contest/entry_edit.html", {"event": team.event, "team": team, "form": form}
    )


@require_POST
@team_required()
def entry_file_add(request, team):
    _require_edit(request.user, team)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            entry_services.add_file(team.entry, form.cleaned_data["file"], request.user)
            messages.success(request, _("The file was added."))
        except Refused as error:
            _say(request, error)
    else:
        messages.error(request, " ".join(form.errors.get("file", [])))
    return redirect(team)


@team_required()
def entry_file(request, team, pk):
    """Download a document of the entry, always as an attachment."""
    kept = get_object_or_404(EntryFile, entry__team=team, pk=pk)
    return FileResponse(
        kept.file.open("rb"),
        as_attachment=True,
        filename=kept.original_name,
        content_type="application/octet-stream",
    )


@require_POST
@team_required()
def entry_file_remove(request, team, pk):
    _require_edit(request.user, team)
    entry_services.remove_file(get_object_or_404(EntryFile, entry__team=team, pk=pk), request.user)
    return redirect(team)


@require_POST
@team_required(captain=True)
def team_invite(request, team):
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invitation = team_services.invite(team, form.cleaned_data["email"], request.user)
            messages.success(
                request, _("An invitation was sent to %(email)s.") % {"email": invitation.email}
            )
        except Refused as error:
            _say(request, error)
    else:
        messages.error(request, " ".join(form.errors.get("email", [])))
    return redirect(team)


@require_POST
@team_required()
def member_remove(request, team, pk):
    """The captain (or an organizer) takes somebody out; anybody may leave."""
    membership = get_object_or_404(Membership, team=team, pk=pk)
    leaving = membership.user_id == request.user.pk
    if not (leaving or is_captain(request.user, team) or is_organizer(request.user, team.event)):
        raise PermissionDenied
    try:
        team_services.remove_member(membership, request.user)
    except Refused as error:
        _say(request, error)
    return redirect("my-teams" if leaving else team)


@require_POST
@team_required(captain=True)
def team_withdraw(request, team):
    team_services.withdraw_team(team, request.user, request.POST.get("reason", ""))
    messages.success(request, _("The team has withdrawn."))
    return redirect(team)


@login_required
def invitation(request, token):
    """See who invites, and accept."""
    invitation = get_object_or_404(
        Invitation.objects.select_related("team__event", "team__track", "invited_by"), token=token
    )
    if request.method == "POST":
        try:
            team_services.accept_invitation(invitation, request.user)
            return redirect(invitation.team)
        except Refused as error:
            _say(request, error)
            return redirect("invitation", token)
    return render(
        request,
        "contest/invitation.html",
        {"invitation": invitation, "team": invitation.team, "event": invitation.team.event},
    )
