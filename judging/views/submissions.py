"""A team's submissions to an automated round, and what became of each."""

import io

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import FileResponse, Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contest.access import round_organizer_required, team_required
from contest.errors import Refused
from contest.models import Participation, Submission
from contest.roles import is_member, is_organizer
from contest.services.baselines import submit_baseline
from contest.services.submissions import (
    choose_final,
    new_client_key,
    quota,
    receive,
    withdraw_submission,
)
from contest.states import RoundStatus, SubmissionStatus
from contest.uploads import UploadTooLarge
from judging import faults
from judging.faults import SubmissionFault
from judging.forms.benchmark import BaselineForm, SubmitForm
from judging.metrics import MEASURES
from judging.models import ScoringRun
from judging.services.benchmarks import current_benchmark, has_sample, sample_submission
from judging.services.checks import check_file
from judging.services.logs import scoring_log, team_log
from judging.services.queue import expected_wait
from judging.services.runs import cancel
from judging.states import RunStatus


def _participation(request, team, round_slug) -> Participation:
    rounds = team.participations.select_related("round__event", "round__track", "team")
    participation = get_object_or_404(rounds, round__slug=round_slug)
    hidden = participation.round.status == RoundStatus.DRAFT
    if hidden and not is_organizer(request.user, team.event):
        raise Http404
    return participation


def _listed(submissions):
    """With their runs by versions that are or were in force; what is on trial shows nowhere."""
    return submissions.select_related("submitted_by").prefetch_related(
        Prefetch("runs", ScoringRun.objects.shown().select_related("benchmark", "submission"))
    )


def _with_outcome(submission, *, private: bool, inside: bool = False):
    """What the page shows of a submission: its newest run, its fault in words, its metrics.

    ``inside`` is for organizers, who are told everything.
    """
    run = next(iter(submission.runs.all()), None)
    submission.run = run
    # The submission was read before its runs: where it does not yet know of its result, the page
    # asks again.
    behind = submission.status == SubmissionStatus.RECEIVED
    submission.active = run is not None and (run.is_active or (behind and run.benchmark.is_current))
    submission.fault = (
        (
            faults.message(run.error_code, run.error_params)
            if inside
            else faults.message_for_team(run)
        )
        if run and run.error_code
        else ""
    )
    submission.same_as = run.provenance.get("reused_number") if run else None
    submission.results, submission.measured = [], []
    if run and run.metrics:
        public, hidden = run.metrics["public"], run.metrics["private"]
        names = dict.fromkeys([*public, *(hidden if private else [])])
        submission.results = [
            (
                run.benchmark.describe(name).label,
                public.get(name),
                hidden.get(name) if private else None,
            )
            for name in names
        ]
        submission.measured = [
            (MEASURES[name].label, value)
            for name, value in run.metrics.get("measured", {}).items()
            if name in MEASURES
        ]
    return submission


@team_required()
def participation_submissions(request, team, round_slug):
    """Upload, the quota, and the list of what was sent, live."""
    participation = _participation(request, team, round_slug)
    round = participation.round
    benchmark = current_benchmark(round)
    member = is_member(request.user, team)
    kinds = benchmark.accepted_kinds() if benchmark else Submission.Kind.values
    initial = {"client_key": new_client_key()}
    form = SubmitForm(initial=initial, kinds=kinds)
    if request.method == "POST":
        if not member:
            raise PermissionDenied
        form = SubmitForm(request.POST, request.FILES, kinds=kinds)
        if "check" in request.POST:
            return _check(request, participation, benchmark)
        too_large = getattr(request, "upload_too_large", None)
        if too_large is not None:
            form.errors.clear()
            form.add_error("file", UploadTooLarge(round.max_upload_bytes, too_large).messages)
        elif form.is_valid():
            try:
                submission, _created = receive(
                    participation=participation, by=request.user, **form.cleaned_data
                )
                return redirect(submission)
            except Refused as error:
                form.add_error("file", error.messages)
        # The form goes back with a key of its own: what follows is another request.
        form.data = form.data.copy()
        form.data["client_key"] = new_client_key()
    context = {
        "event": team.event,
        "round": round,
        "team": team,
        "participation": participation,
        "benchmark": benchmark,
        "metric": benchmark.main.label if benchmark else "",
        "has_sample": has_sample(benchmark),
        "form": form,
        "member": member,
        **_list_context(request, participation),
    }
    if request.htmx:
        return render(request, "judging/_submission_list.html", context)
    context["history"] = _history(participation, benchmark)
    return render(request, "judging/submissions.html", context, status=422 if form.errors else 200)


def _check(request, participation, benchmark):
    """Say whether the chosen file has the right form; to the page's script, or as a message."""
    file, kind = request.FILES.get("file"), request.POST.get("kind", "")
    try:
        if file is None or benchmark is None:
            raise Refused(_("Choose a file first."), code="no_file")
        check_file(participation, benchmark, file, kind)
        fine, said = True, _("The file has the right form. It was not sent and does not count.")
    except SubmissionFault as fault:
        fine, said = False, faults.message(fault.code, fault.params)
    except Refused as error:
        fine, said = False, " ".join(map(str, error.messages))
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"fine": fine, "said": said})
    (messages.success if fine else messages.error)(request, said)
    return redirect(request.path)


def _history(participation, benchmark) -> list[dict]:
    """Public scores of the task in force by number of the submission, for the picture."""
    if benchmark is None:
        return []
    runs = ScoringRun.objects.filter(
        submission__participation=participation,
        benchmark=benchmark,
        status=RunStatus.SUCCEEDED,
    ).order_by("submission__number")
    return [
        {"number": number, "score": score}
        for number, score in runs.values_list("submission__number", "public_score")
    ]


def _list_context(request, participation) -> dict:
    inside = is_organizer(request.user, participation.round.event)
    private = inside or participation.round.status == RoundStatus.PUBLISHED
    page = Paginator(_listed(participation.submissions.all()), 20).get_page(request.GET.get("page"))
    submissions = [_with_outcome(s, private=private, inside=inside) for s in page.object_list]
    return {
        "page": page,
        "submissions": submissions,
        "active": any(s.active for s in submissions),
        "wait": next(
            (expected_wait(s.run) for s in reversed(submissions) if s.run and s.run.is_active), None
        ),
        "final": participation.final_submission_id,
        "quota": quota(participation),
        "private": private,
    }


def _own_submission(request, pk) -> Submission:
    """The submission, for the team's members and the event's organizers; others get 404 or 403."""
    submission = get_object_or_404(
        _listed(Submission.objects.all()).select_related(
            "participation__round__event", "participation__round__track", "participation__team",
            "submitted_by",
        ),
        pk=pk,
    )  # fmt: skip
    team = submission.participation.team
    if not is_member(request.user, team) and not is_organizer(
        request.user, submission.participation.round.event
    ):
        raise PermissionDenied
    return submission


@login_required
def submission(request, pk):
    """One submission: queued, running, scored; its metrics or its fault."""
    submission = _own_submission(request, pk)
    round = submission.participation.round
    private = round.status == RoundStatus.PUBLISHED or is_organizer(request.user, round.event)
    submission = _with_outcome(
        submission, private=private, inside=is_organizer(request.user, round.event)
    )
    submission.wait = expected_wait(submission.run) if submission.run else None
    context = {
        "event": round.event,
        "round": round,
        "team": submission.participation.team,
        "submission": submission,
        "private": private,
        "log": team_log(submission.run, request.user) if submission.run else "",
        "scoring_log": scoring_log(submission.run, request.user) if submission.run else "",
        "is_final": submission.participation.final_submission_id == submission.pk,
        "may_choose": is_member(request.user, submission.participation.team)
        and round.is_accepting
        and submission.status in (SubmissionStatus.RECEIVED, SubmissionStatus.SCORED),
        "may_cancel": is_organizer(request.user, round.event)
        and submission.run is not None
        and submission.run.is_active,
        "may_withdraw": is_member(request.user, submission.participation.team)
        and round.is_accepting
        and submission.may_move(SubmissionStatus.WITHDRAWN),
    }
    template = "judging/_submission_status.html" if request.htmx else "judging/submission.html"
    return render(request, template, context)


@login_required
def submission_file(request, pk):
    """The file as it was sent, as an attachment."""
    submission = _own_submission(request, pk)
    return FileResponse(
        submission.file.open("rb"),
        as_attachment=True,
        filename=submission.original_name,
        content_type="application/octet-stream",
    )


@require_POST
@login_required
def submission_withdraw(request, pk):
    submission = _own_submission(request, pk)
    if not is_member(request.user, submission.participation.team):
        raise PermissionDenied
    withdraw_submission(submission, request.user)
    messages.success(request, _("The submission was withdrawn."))
    return redirect(submission)


@require_POST
@login_required
def submission_choose(request, pk):
    """Let this submission count for the team, or no longer."""
    submission = _own_submission(request, pk)
    if not is_member(request.user, submission.participation.team):
        raise PermissionDenied
    chosen = request.POST.get("chosen") == "1"
    choose_final(submission, request.user, chosen=chosen)
    messages.success(
        request,
        _("This submission counts from now on.")
        if chosen
        else _("The submission with the best public score counts again."),
    )
    return redirect(submission)


@require_POST
@login_required
def submission_cancel(request, pk):
    """An organizer ends the scoring of a submission."""
    submission = _own_submission(request, pk)
    if not is_organizer(request.user, submission.participation.round.event):
        raise PermissionDenied
    run = submission.runs.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).first()
    if run is not None:
        cancel(run, request.user, request.POST.get("reason", ""))
        messages.success(request, _("The scoring was cancelled."))
    return redirect(submission)


@team_required()
def sample(request, team, round_slug):
    """A file of the right form to start from."""
    participation = _participation(request, team, round_slug)
    benchmark = current_benchmark(participation.round)
    found = sample_submission(benchmark) if benchmark else None
    if found is None:
        raise Http404
    content, name = found
    return FileResponse(
        io.BytesIO(content), as_attachment=True, filename=name,
        content_type="text/csv; charset=utf-8" if name.endswith(".csv")
        else "application/octet-stream",
    )  # fmt: skip


@round_organizer_required
def desk_submissions(request, round):
    """Every submission of a round, newest first."""
    submissions = Submission.objects.filter(participation__round=round).select_related(
        "participation__team"
    )
    status = request.GET.get("status", "")
    if status in SubmissionStatus.values:
        submissions = submissions.filter(status=status)
    search = request.GET.get("q", "").strip()
    if search:
        submissions = submissions.filter(participation__team__code__icontains=search)
    page = Paginator(_listed(submissions), 50).get_page(request.GET.get("page"))
    same: dict[str, set[str]] = {}
    for digest, code in Submission.objects.filter(
        participation__round=round, sha256__in=[s.sha256 for s in page.object_list]
    ).values_list("sha256", "participation__team__code"):
        same.setdefault(digest, set()).add(code)
    for submission in page.object_list:
        own = submission.participation.team.code
        submission.other_teams = sorted(same[submission.sha256] - {own})
    return render(
        request,
        "judging/desk_submissions.html",
        {
            "event": round.event,
            "round": round,
            "page": page,
            "submissions": [_with_outcome(s, private=True, inside=True) for s in page.object_list],
            "statuses": SubmissionStatus.choices,
            "status": status,
            "search": search,
            "baseline_form": BaselineForm(
                kinds=_kinds(round), initial={"client_key": new_client_key()}
            ),
        },
    )


def _kinds(round) -> list[str]:
    benchmark = current_benchmark(round)
    return benchmark.accepted_kinds() if benchmark else Submission.Kind.values


@require_POST
@round_organizer_required
def desk_baseline(request, round):
    """Send in a baseline: something to compare with, scored and shown, never ranked."""
    form = BaselineForm(request.POST, request.FILES, kinds=_kinds(round))
    if name := getattr(request, "upload_too_large", None):
        raise UploadTooLarge(round.max_upload_bytes, name)
    if not form.is_valid():
        raise Refused(_("Choose a file and give the baseline a name."), code="invalid")
    submission, _created = submit_baseline(round, request.user, **form.cleaned_data)
    messages.success(request, _("The baseline was sent in."))
    return redirect(submission)
