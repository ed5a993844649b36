"""Certificates to print, and the page that says whether one is true."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control

from contest.access import round_organizer_required, team_required
from contest.states import RoundStatus
from leaderboard.certificates import awarded, pdf
from leaderboard.services import certificates as services


def _file(found, name: str) -> HttpResponse:
    return HttpResponse(
        pdf(found),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'},
    )


@round_organizer_required
def desk_certificates(request, round):
    """All of a decided round, to be printed for the ceremony."""
    found = services.certificates(round)
    if not found:
        raise Http404
    return _file(found, f"{round.event.slug}-{round.slug}-certificates")


@team_required()
def team_certificates(request, team, round_slug):
    """A team's own, once the result is public; before, there is no such page."""
    participation = get_object_or_404(
        team.participations.select_related("round__event", "round__track"),
        round__slug=round_slug,
        round__status=RoundStatus.PUBLISHED,
    )
    found = services.certificates(participation.round, team.pk)
    if not found:
        raise Http404
    return _file(found, f"{team.event.slug}-{round_slug}-{team.code}-certificates")


def verify(request, code):
    """Whether a certificate is true now. Who has no code learns nothing here."""
    verdict = services.verify(code)
    certificate = verdict.certificate if verdict else None
    response = render(
        request,
        "leaderboard/verify.html",
        {
            "verdict": verdict,
            "certificate": certificate,
            "awarded": awarded(certificate) if certificate else "",
            "event": certificate.event if certificate else None,
        },
        status=200 if verdict else 404,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    patch_cache_control(response, private=True, no_store=True)
    return response
