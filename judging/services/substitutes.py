"""A judge who drops out, who takes over, and how it is undone."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, User
from contest.states import ParticipationStatus
from judging.models import Assignment, Judge, Panel, RecordEntry, Recusal, Scoresheet
from judging.services import record
from judging.services.locks import lock_panel, lock_round
from judging.services.panels import add_assignments, same_organisation, seat, unassign
from judging.states import ScoresheetStatus


@dataclass
class Substitution:
    """What came of it, team by team."""

    given: list[Participation]
    # The successor has them already, through this panel or another.
    had: list[Participation]
    # Nobody took these over, and why.
    left: list[tuple[Participation, str]]
    # Marks were given; they stay on record and no longer are waited for.
    released: list[Participation]
    # Sheets that were submitted before; they count.
    submitted: list[Participation]


def substitute(panel: Panel, out: Judge, successor: Judge, by: User, reason: str) -> Substitution:
    """Let ``successor`` do in the panel what ``out`` has not submitted.

    ``out`` leaves the panel and the chair, if it was theirs; submitted sheets stay and count. A
    team with which the successor has a conflict of interest, or shares the organisation, is left
    for the organizer and named. Done again it changes nothing. It is undone by substituting the
    other way round and ``readmit`` for the sheets that were begun. Raises Refused.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    if out.pk == successor.pk:
        raise Refused(_("A judge cannot stand in for themselves."), code="same_judge")
    with transaction.atomic():
        panel = lock_panel(panel)  # so that none of the sheets is submitted meanwhile
        if successor.event_id != panel.round.event_id:
            raise Refused(
                _("%(judge)s judges in another event."),
                code="wrong_event",
                params={"judge": successor.name},
            )
        sits = panel.judges.filter(pk=out.pk).exists()
        if not sits and not panel.judges.filter(pk=successor.pk).exists():
            raise Refused(
                _("%(judge)s does not sit in this panel."),
                code="not_in_panel",
                params={"judge": out.name},
            )
        done = Substitution([], [], [], [], [])
        taken, unfinished = _take_away(panel, out, by, done)
        _hand_over(panel, successor, taken, done)
        done.released = [assignment.participation for assignment in unfinished]
        if sits:
            panel.judges.remove(out)
            panel.judges.add(successor)
            if panel.chair_id == out.pk:
                panel.chair = successor
                panel.save(update_fields=["chair"])
        if sits or taken:
            LogEntry.write(
                panel, "substituted", by=by, before=out.name, after=successor.name, reason=reason
            )
        _release(unfinished, by, reason)
    return done


def readmit(assignment: Assignment, by: User, reason: str) -> Assignment:
    """Let a judge who was released from a team go on with it, on the sheet as it was left.

    The judge sits in the panel again, and whoever took the team over keeps it. Done twice, it
    changes nothing the second time. Raises Refused without a reason, where the judge has a conflict
    of interest with the team or the team competes no longer, and once the ranking is signed off.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    with transaction.atomic():
        round = lock_round(assignment.participation.round_id)
        panel = Panel.objects.select_for_update(of=("self",)).get(pk=assignment.panel_id)
        Assignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
        assignment = Assignment.objects.select_related(
            "judge", "panel__round", "participation__team", "participation__round", "scoresheet"
        ).get(pk=assignment.pk)
        if assignment.released_at is None:
            return assignment
        round.require_undecided()
        judge, participation = assignment.judge, assignment.participation
        if Recusal.objects.filter(judge=judge, team=participation.team_id).exists():
            raise Refused(
                _("%(judge)s has a conflict of interest with this team."),
                code="recused",
                params={"judge": judge.name},
            )
        if participation.status != ParticipationStatus.ACTIVE:
            raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
        seat(panel, judge, by)
        assignment.released_at = None
        assignment.save(update_fields=["released_at"])
        LogEntry.write(panel, "readmitted", by=by, after=str(assignment), reason=reason)
        record.append(
            round,
            RecordEntry.Kind.READMITTED,
            judge=judge,
            participation=participation,
            scoresheet=assignment.scoresheet,
            by=by,
            reason=reason,
        )
    return assignment


def _take_away(
    panel: Panel, out: Judge, by: User, done: Substitution
) -> tuple[list[Participation], list[Assignment]]:
    """Take what the judge has not begun: the teams that then need somebody else, and the
    assignments with marks that were not submitted.
    """
    mine = panel.assignments.filter(judge=out, released_at=None)
    sheets = {
        sheet.assignment_id: sheet for sheet in Scoresheet.objects.filter(assignment__in=mine)
    }
    begun = set(
        RecordEntry.objects.filter(scoresheet__in=list(sheets.values())).values_list(
            "scoresheet__assignment", flat=True
        )
    )
    taken, unfinished = [], []
    for assignment in mine.select_related(
        "judge", "panel", "participation__team", "participation__round", "scoresheet"
    ):
        sheet = sheets.get(assignment.pk)
        if sheet is not None and sheet.status == ScoresheetStatus.SUBMITTED:
            done.submitted.append(assignment.participation)
            continue
        if assignment.participation.status == ParticipationStatus.ACTIVE:
            taken.append(assignment.participation)
        if assignment.pk in begun:
            unfinished.append(assignment)
        else:
            unassign(assignment, by)
    return taken, unfinished


def _release(assignments: list[Assignment], by: User, reason: str) -> None:
    """Wait no longer for sheets on which something was written; they stay on record."""
    for assignment in assignments:
        assignment.released_at = timezone.now()
        assignment.save(update_fields=["released_at"])
        LogEntry.write(assignment.panel, "released", by=by, before=str(assignment), reason=reason)
    for assignment in assignments:
        record.append(
            assignment.participation.round,
            RecordEntry.Kind.RELEASED,
            judge=assignment.judge,
            participation=assignment.participation,
            scoresheet=assignment.scoresheet,
            by=by,
            reason=reason,
        )


def _hand_over(
    panel: Panel, successor: Judge, teams: list[Participation], done: Substitution
) -> None:
    recused = set(Recusal.objects.filter(judge=successor).values_list("team_id", flat=True))
    there = {
        assignment.participation_id: assignment
        for assignment in Assignment.objects.filter(judge=successor, participation__in=teams)
    }
    for participation in teams:
        existing = there.get(participation.pk)
        if participation.team_id in recused:
            done.left.append((participation, _("conflict of interest")))
        elif existing is not None and existing.released_at is not None:
            done.left.append((participation, _("was released from it before; readmit them")))
        elif existing is not None:
            done.had.append(participation)
        elif same_organisation(successor, participation.team):
            done.left.append((participation, _("same organisation")))
        else:
            done.given.append(participation)
    add_assignments(panel, [(successor.pk, participation.pk) for participation in done.given])
