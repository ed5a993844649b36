"""Pages of a team's members."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contest.access import team_required, visible_event
from contest.errors import Refused
from contest.forms import (
    LICENCES,
    EntryForm,
    FileForm,
    InviteForm,
    RegisterForm,
    TeamForm,
    WithdrawForm,
)
from contest.models import EntryFile, Event, Invitation, Membership, Team
from contest.roles import is_captain, is_member, is_organizer
from contest.services import entries as entry_services
from contest.services import teams as team_services
from contest.services.rounds import COMPETING
from contest.states import EventStatus, ParticipationStatus, RoundStatus, TeamStatus
from contest.templatetags.wuzhen import event_time
from contest.uploads import UploadTooLarge
from contest.views.saying import say


def _steps(team: Team, participations) -> list[dict]:
    """What the team can do next, most urgent first, as ``{"text": str, "url": str}``.

    ``participations`` are those the reader may see, with their rounds. ``url`` is empty where
    there is nothing to open.
    """
    event = team.event
    steps = []
    if team.status == TeamStatus.WITHDRAWN:
        return [{"text": _("The team has withdrawn; nothing more is asked of it."), "url": ""}]
    if team.status == TeamStatus.DISQUALIFIED:
        text = _("The team was disqualified; the organizers can tell you why.")
        return [{"text": text, "url": ""}]
    for item in participations:
        round = item.round
        if item.status != ParticipationStatus.ACTIVE or not round.is_accepting:
            continue
        words = {"round": round.name, "moment": event_time(round.closes_at, event)}
        if round.format == round.Format.AUTOMATED:
            text = (
                _("Send your submission to “%(round)s” before %(moment)s.")
                if round.closes_at
                else _("Send your submission to “%(round)s”.")
            )
            url = reverse("participation-submissions", args=[event.slug, round.slug, team.code])
        else:
            text = _("Get ready for “%(round)s”; the judges are scoring now.")
            url = reverse("round", args=[event.slug, round.slug])
        steps.append({"text": text % words, "url": url})
    if event.is_registration_open:
        entry = team.entry
        if not (entry.abstract and entry.repository and entry.licence):
            words = {"moment": event_time(event.registration_closes, event)}
            text = (
                _("Complete the project (abstract, repository, licence) before %(moment)s.")
                if event.registration_closes
                else _("Complete the project (abstract, repository, licence).")
            )
            url = reverse("entry-edit", args=[event.slug, team.code])
            steps.append({"text": text % words, "url": url})
    if team.status == TeamStatus.REGISTERED:
        text = _("The organizers are checking your registration; you need not do anything.")
        steps.append({"text": text, "url": ""})
    if not steps:
        steps.append({"text": _("Nothing to do now; wait for the next round."), "url": ""})
    return steps


def _visible(participations, organizes: bool) -> list:
    """Rounds in preparation are for organizers alone."""
    shown = [p for p in participations if organizes or p.round.status != RoundStatus.DRAFT]
    return sorted(shown, key=lambda p: p.round.ordinal)


@login_required
def my_teams(request):
    """The teams the person belongs to, and the events that can be entered."""
    teams = (
        Team.objects.filter(
            memberships__user=request.user, event__in=Event.objects.visible_to(request.user)
        )
        .select_related("event", "track", "entry")
        .prefetch_related("participations__round")
        .order_by("-created_at")
    )
    items = []
    for team in teams:
        shown = _visible(team.participations.all(), is_organizer(request.user, team.event))
        items.append({"team": team, "participations": shown, "steps": _steps(team, shown)})
    open_events = []
    if not hasattr(request.user, "judge"):
        open_events = [
            event
            for event in Event.objects.filter(status=EventStatus.PUBLISHED)
            if event.is_registration_open
        ]
    return render(request, "contest/my_teams.html", {"teams": items, "open_events": open_events})


@login_required
def register(request, slug):
    """Register a team in a track of the event."""
    event = visible_event(request, slug)
    if hasattr(request.user, "judge"):
        raise PermissionDenied
    if not event.is_registration_open:
        status = 409 if request.method == "POST" else 200
        return render(request, "contest/registration_closed.html", {"event": event}, status=status)
    track_form = RegisterForm(request.POST or None, event=event)
    team_form = TeamForm(request.POST or None)
    entry_form = EntryForm(request.POST or None)
    forms = (track_form, team_form, entry_form)
    captained = list(
        event.teams.filter(memberships__user=request.user, memberships__role="captain")
        .exclude(status=TeamStatus.WITHDRAWN)
        .select_related("track")
    )
    for mine in captained:
        mine.event = event
    known = {mine.pk for mine in captained}
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
            if team.pk in known:
                messages.info(request, _("You already captain this team; nothing was changed."))
            else:
                messages.success(
                    request, _("Registered. Your team's code is %(code)s.") % {"code": team.code}
                )
            return redirect(team)
    return render(
        request,
        "contest/team_register.html",
        {
            "event": event,
            "track_form": track_form,
            "team_form": team_form,
            "entry_form": entry_form,
            "has_tracks": track_form.fields["track"].queryset.exists(),
            "captained": captained,
            "licences": LICENCES,
        },
    )


@team_required()
def team(request, team):
    """The team: members, entry, rounds and what to do next."""
    organizes = is_organizer(request.user, team.event)
    captain = is_captain(request.user, team)
    shown = _visible(team.participations.select_related("round"), organizes)
    for participation in shown:
        participation.round.event = team.event
    competing = team.status in COMPETING
    return render(
        request,
        "contest/team.html",
        {
            "event": team.event,
            "team": team,
            "entry": team.entry,
            "files": list(team.entry.files.all()),
            "max_files": entry_services.MAX_FILES,
            "memberships": list(team.memberships.select_related("user")),
            "invitations": list(team.invitations.filter(accepted_at=None)),
            "participations": shown,
            "steps": _steps(team, shown),
            "is_captain": captain,
            "organizes": organizes,
            "may_edit": team_services.may_edit(team, request.user),
            "may_invite": competing and (captain or organizes),
            "may_withdraw": competing and (captain or organizes),
            "invite_form": InviteForm(),
            "file_form": FileForm(),
        },
    )


@team_required()
def team_edit(request, team):
    """Names, organisation, country."""
    team_services.require_edit(team, request.user)
    # The form writes into its instance, even what it then refuses; the page shows what is stored.
    draft = Team.objects.select_related("event", "track").get(pk=team.pk)
    form = TeamForm(request.POST or None, instance=draft)
    if request.method == "POST" and form.is_valid():
        team_services.edit_team(team, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect(team)
    return render(
        request, "contest/team_edit.html", {"event": team.event, "team": team, "form": form}
    )


@team_required()
def entry_edit(request, team):
    """The project the team enters with."""
    team_services.require_edit(team, request.user)
    form = EntryForm(request.POST or None, instance=team.entry)
    if request.method == "POST" and form.is_valid():
        entry_services.save_entry(team, request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect(team)
    return render(
        request,
        "contest/entry_edit.html",
        {"event": team.event, "team": team, "form": form, "licences": LICENCES},
    )


@require_POST
@team_required()
def entry_file_add(request, team):
    team_services.require_edit(team, request.user)
    if name := getattr(request, "upload_too_large", None):
        raise UploadTooLarge(entry_services.MAX_FILE_BYTES, name)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            entry_services.add_file(team.entry, form.cleaned_data["file"], request.user)
            messages.success(request, _("The file was added."))
        except Refused as error:
            say(request, error)
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
    team_services.require_edit(team, request.user)
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
            say(request, error)
    else:
        messages.error(request, " ".join(form.errors.get("email", [])))
    return redirect(team)


@require_http_methods(["GET", "POST"])
@team_required()
def member_remove(request, team, pk):
    """The captain (or an organizer) takes somebody out; anybody may leave."""
    membership = get_object_or_404(Membership, team=team, pk=pk)
    leaving = membership.user_id == request.user.pk
    if not (leaving or is_captain(request.user, team) or is_organizer(request.user, team.event)):
        raise PermissionDenied
    if request.method == "GET":
        return render(
            request,
            "contest/team_member_remove.html",
            {"event": team.event, "team": team, "membership": membership, "leaving": leaving},
        )
    try:
        team_services.remove_member(membership, request.user)
    except Refused as error:
        say(request, error)
    return redirect("my-teams" if leaving else team)


@require_POST
@team_required(captain=True)
def member_captain(request, team, pk):
    """The captain, or an organizer, hands the team over to another member."""
    membership = get_object_or_404(Membership.objects.select_related("user"), team=team, pk=pk)
    try:
        team_services.make_captain(membership, request.user)
    except Refused as error:
        say(request, error)
    return redirect(team)


@require_http_methods(["GET", "POST"])
@team_required(captain=True)
def team_withdraw(request, team):
    """Ask first; then the team leaves every round."""
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        team_services.withdraw_team(team, request.user, form.cleaned_data["reason"])
        messages.success(request, _("The team has withdrawn."))
        return redirect(team)
    return render(
        request, "contest/team_withdraw.html", {"event": team.event, "team": team, "form": form}
    )


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
            say(request, error)
            return redirect("invitation", token)
    return render(
        request,
        "contest/invitation.html",
        {
            "invitation": invitation,
            "team": invitation.team,
            "event": invitation.team.event,
            "is_member": is_member(request.user, invitation.team),
        },
    )
