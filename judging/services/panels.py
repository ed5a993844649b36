"""Judges, panels, assignments and conflicts of interest."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import SystemRandom

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Event, LogEntry, Participation, Round, Team, User
from contest.roles import is_organizer
from contest.signals import ranking_inputs_changed
from contest.states import ParticipationStatus
from judging.models import Assignment, Judge, Panel, RecordEntry, Recusal, Rubric, Scoresheet
from judging.organisations import akin, plain_names
from judging.services import record
from judging.services.locks import lock_panel
from judging.services.rubrics import versions_of
from judging.services.telling import tell_desk, tell_judges
from judging.states import ScoresheetStatus


@transaction.atomic
def add_judge(event: Event, by: User, **fields) -> Judge:
    """Seat a judge in the event, with an account of that event alone.

    ``fields``: name, email, organisation_zh, organisation_en. Raises ValidationError.
    """
    judge = Judge(event=event, **fields)
    judge.full_clean(exclude=["user"])
    judge.user = User.objects.create_user(name=judge.name)
    judge.save()
    LogEntry.write(judge, "judge_added", by=by, after=judge.organisation)
    return judge


@transaction.atomic
def edit_judge(judge: Judge, by: User, **fields) -> Judge:
    """Change a judge's name, organisation or e-mail. Raises ValidationError.

    Teams that the judge has stay: see ``akin_assignments`` for those that now are of the same
    organisation.
    """
    before = _named(Judge.objects.select_for_update(of=("self",)).get(pk=judge.pk))
    for name, value in fields.items():
        setattr(judge, name, value)
    judge.full_clean()
    judge.save()
    User.objects.filter(pk=judge.user_id).update(name=judge.name)
    LogEntry.write(judge, "judge_edited", by=by, before=before, after=_named(judge))
    return judge


def _named(judge: Judge) -> str:
    """The judge as the log keeps who it was, in both languages."""
    return " · ".join(filter(None, (judge.name, judge.organisation_zh, judge.organisation_en)))


@transaction.atomic
def save_panel(
    round: Round, by: User, panel: Panel | None = None, *, fields: dict, rubric: Rubric, judges
) -> Panel:
    """Make or change a panel. Judges with marks in it stay; so does the rubric once it was used.

    ``fields``: name_zh, name_en, chair, is_anonymous, as far as they change.

    Raises Refused, ValidationError.
    """
    # Until this is done, no judge gives the first mark by the rubric of before.
    panel = lock_panel(panel, rubric) if panel is not None else Panel(round=round)
    marked = RecordEntry.objects.filter(scoresheet__assignment__panel=panel) if panel.pk else None
    if marked is not None and panel.rubric_id != rubric.pk and marked.exists():
        if any(version.pk == rubric.pk for version in versions_of(panel.rubric)):
            raise Refused(
                _("Marks were given in this panel. See first what the other version changes."),
                code="version_changes_marks",
            )
        raise Refused(_("Marks were given in this panel; its rubric stays."), code="rubric_in_use")
    for name, value in fields.items():
        setattr(panel, name, value)
    panel.rubric = rubric
    wanted = {judge.pk for judge in judges}
    if panel.chair_id is not None and panel.chair_id not in wanted:
        raise ValidationError({"chair": _("The chair is one of the panel's judges.")})
    panel.full_clean()
    panel.save()
    if wrong := [judge for judge in judges if judge.event_id != round.event_id]:
        raise ValidationError(
            _("%(judge)s judges in another event."), params={"judge": wrong[0].name}
        )
    for judge in panel.judges.exclude(pk__in=wanted):
        for assignment in panel.assignments.filter(judge=judge):
            unassign(assignment, by)
    panel.judges.set(wanted)
    LogEntry.write(panel, "panel_saved", by=by, after=f"{len(wanted)}")
    return panel


@transaction.atomic
def seat(panel: Panel, judge: Judge, by: User) -> None:
    """Let one more judge sit in the panel; who sits there already stays."""
    if panel.judges.filter(pk=judge.pk).exists():
        return
    panel.judges.add(judge)
    LogEntry.write(panel, "panel_saved", by=by, after=f"+ {judge.name}")


def _organisations(thing: Judge | Team) -> frozenset[str]:
    return plain_names((thing.organisation_zh, thing.organisation_en))


def same_organisation(judge: Judge, team: Team) -> bool:
    """Whether judge and team seem to belong to the same organisation, in whichever language."""
    return akin(_organisations(judge), _organisations(team))


def same_organisations(judges: Iterable[Judge], teams: Iterable[Team]) -> set[tuple[int, int]]:
    """The pairs (judge, team) of the same organisation; each name is looked at once."""
    of_judges: dict[frozenset[str], list[int]] = {}
    for judge in judges:
        of_judges.setdefault(_organisations(judge), []).append(judge.pk)
    of_teams: dict[frozenset[str], list[int]] = {}
    for team in teams:
        of_teams.setdefault(_organisations(team), []).append(team.pk)
    return {
        (judge, team)
        for ours, judge_ids in of_judges.items()
        for theirs, team_ids in of_teams.items()
        if akin(ours, theirs)
        for judge in judge_ids
        for team in team_ids
    }


@dataclass(frozen=True)
class AkinAssignment:
    """A team that a judge of its own organisation has; ``reason`` is empty where none was given."""

    assignment: Assignment
    reason: str


def akin_assignments(**which) -> list[AkinAssignment]:
    """Assignments whose judge and team belong to the same organisation, with the reason given.

    ``which`` narrows assignments, by ``panel`` or ``judge``. It comes about with a reason, or
    without one where the judge or the team changed afterwards.
    """
    found = Assignment.objects.filter(
        participation__status=ParticipationStatus.ACTIVE, released_at=None, **which
    )
    pairs = same_organisations(
        Judge.objects.filter(pk__in=found.values("judge")),
        Team.objects.filter(pk__in=found.values("participation__team")),
    )
    assignments = [
        assignment
        for assignment in found.filter(
            judge__in={judge for judge, _team in pairs},
            participation__team__in={team for _judge, team in pairs},
        ).select_related("judge", "panel", "participation__team", "participation__round")
        if (assignment.judge_id, assignment.participation.team_id) in pairs
    ]
    reasons = _reasons(assignments)
    return [AkinAssignment(a, reasons.get((a.panel_id, str(a)), "")) for a in assignments]


def _reasons(assignments: Iterable[Assignment]) -> dict[tuple[int, str], str]:
    """The newest reason in the log of each, by panel and what the log calls it."""
    assignments = list(assignments)
    entries = LogEntry.objects.filter(
        model="panel",
        action="assigned",
        object_id__in={str(assignment.panel_id) for assignment in assignments},
        after__in={str(assignment)[:255] for assignment in assignments},
    ).exclude(reason="")
    return {
        (int(entry.object_id), entry.after): entry.reason for entry in entries.order_by("at", "pk")
    }


def assign(
    panel: Panel, judge: Judge, participation: Participation, by: User, *, in_spite: str = ""
) -> Assignment:
    """Give one team to one judge of the panel; giving it twice changes nothing.

    A judge of the team's own organisation gets it only with a reason, ``in_spite``, which the log
    keeps; for a team that such a judge has already, the reason can be given later. Raises Refused.
    """
    if participation.round_id != panel.round_id:
        raise Refused(_("The team is not in the panel's round."), code="wrong_round")
    if not panel.judges.filter(pk=judge.pk).exists():
        raise Refused(
            _("%(judge)s does not sit in this panel."),
            code="not_in_panel",
            params={"judge": judge.name},
        )
    if Recusal.objects.filter(judge=judge, team=participation.team_id).exists():
        raise Refused(
            _("%(judge)s has a conflict of interest with this team."),
            code="recused",
            params={"judge": judge.name},
        )
    existing = Assignment.objects.filter(judge=judge, participation=participation).first()
    if existing is not None and existing.released_at is not None:
        raise Refused(
            _(
                "%(judge)s was released from %(team)s; the marks given before stay on record. "
                "Readmit the judge in the panel's matrix to have them go on."
            ),
            code="released",
            params={"judge": judge.name, "team": participation.team.name},
        )
    if existing is not None and existing.panel_id != panel.pk:
        raise Refused(
            _("%(judge)s has %(team)s in another panel."),
            code="other_panel",
            params={"judge": judge.name, "team": participation.team.name},
        )
    if existing is not None:
        _confirm(existing, by, in_spite)
        return existing
    if same_organisation(judge, participation.team) and not in_spite.strip():
        raise Refused(
            _(
                "%(judge)s and %(team)s belong to the same organisation. "
                "Give a reason to assign them all the same."
            ),
            code="same_organisation",
            params={"judge": judge.name, "team": participation.team.name},
        )
    try:
        with transaction.atomic():
            assignment, created = Assignment.objects.get_or_create(
                judge=judge, participation=participation, defaults={"panel": panel}
            )
            if created:
                LogEntry.write(
                    panel, "assigned", by=by, after=str(assignment), reason=in_spite.strip()
                )
                tell_desk(panel.round_id)
                tell_judges([judge.pk])
    except IntegrityError:
        assignment = Assignment.objects.get(judge=judge, participation=participation)
    return assignment


def _confirm(assignment: Assignment, by: User, in_spite: str) -> None:
    """Keep why a team stays with a judge who turned out to be of its organisation."""
    is_akin = same_organisation(assignment.judge, assignment.participation.team)
    if is_akin and in_spite.strip() and not _reasons([assignment]):
        LogEntry.write(
            assignment.panel, "assigned", by=by, after=str(assignment), reason=in_spite.strip()
        )
        tell_desk(assignment.panel.round_id)


def add_assignments(panel: Panel, pairs: Iterable[tuple[int, int]]) -> None:
    """Store pairs of (judge, participation), in an order that nobody can guess.

    Judges learn the ids of their assignments; from ascending ids the judges of an anonymous panel
    could otherwise tell which team is which.
    """
    new = [Assignment(panel=panel, judge_id=judge, participation_id=team) for judge, team in pairs]
    SystemRandom().shuffle(new)
    Assignment.objects.bulk_create(new, ignore_conflicts=True)
    tell_desk(panel.round_id)
    tell_judges(assignment.judge_id for assignment in new)


@transaction.atomic
def assign_all(panel: Panel, by: User) -> tuple[int, list[tuple[Judge, Team]]]:
    """Give every team of the round to every judge of the panel.

    Returns how many assignments were new, and the pairs left out because of a declared conflict or
    because judge and team belong to the same organisation.
    """
    judges = list(panel.judges.all())
    participations = list(
        panel.round.participations.filter(status=ParticipationStatus.ACTIVE).select_related("team")
    )
    there = set(
        Assignment.objects.filter(participation__round=panel.round).values_list(
            "judge_id", "participation_id"
        )
    )
    barred = set(Recusal.objects.filter(judge__in=judges).values_list("judge_id", "team_id"))
    barred |= same_organisations(judges, (participation.team for participation in participations))
    new, left_out = [], []
    for participation in participations:
        for judge in judges:
            if (judge.pk, participation.pk) in there:
                continue
            if (judge.pk, participation.team_id) in barred:
                left_out.append((judge, participation.team))
                continue
            new.append((judge.pk, participation.pk))
    add_assignments(panel, new)
    LogEntry.write(panel, "assigned_all", by=by, after=f"{len(new)}")
    return len(new), left_out


@transaction.atomic
def unassign(assignment: Assignment, by: User) -> None:
    """Take a team from a judge. Refused once marks were given: declare a conflict instead.

    Done twice, it changes nothing the second time.
    """
    # In the order of services/locks.py; then no mark comes meanwhile.
    if not Assignment.objects.select_for_update(of=("self",)).filter(pk=assignment.pk).first():
        return  # somebody took it away already
    list(Scoresheet.objects.select_for_update(of=("self",)).filter(assignment=assignment))
    if RecordEntry.objects.filter(scoresheet__assignment=assignment).exists():
        raise Refused(
            _("%(judge)s has given marks to %(team)s; the sheet stays on record."),
            code="marks_given",
            params={
                "judge": assignment.judge.name,
                "team": assignment.participation.team.name,
            },
        )
    LogEntry.write(assignment.panel, "unassigned", by=by, before=str(assignment))
    tell_desk(assignment.panel.round_id)
    tell_judges([assignment.judge_id])
    Scoresheet.objects.filter(assignment=assignment).delete()
    assignment.delete()


def awaited(round: Round | OuterRef):
    """The assignments whose sheets the round waits for, or has: of teams that compete, without
    judges who have a conflict of interest with the team, or were released from it before they had
    submitted their sheet. Whatever counts sheets counts these."""
    conflict = Recusal.objects.filter(judge=OuterRef("judge"), team=OuterRef("participation__team"))
    return Assignment.objects.filter(
        ~Exists(conflict),
        Q(released_at=None) | Q(scoresheet__status=ScoresheetStatus.SUBMITTED),
        participation__round=round,
        participation__status=ParticipationStatus.ACTIVE,
    )


def missing(round: Round) -> int:
    """How many sheets the round still waits for."""
    return awaited(round).exclude(scoresheet__status=ScoresheetStatus.SUBMITTED).count()


@dataclass(frozen=True)
class Effect:
    """What a conflict of interest means for one round in which the judge has the team."""

    participation: Participation
    submitted: bool  # the judge's sheet was submitted, and no longer counts
    counted: int  # sheets of the team that count now

    @property
    def sentence(self) -> str:
        params = {
            "round": self.participation.round.name,
            "team": self.participation.team.code,
            "count": self.counted,
        }
        if self.submitted:
            return (
                _(
                    "“%(round)s”: the submitted sheet for %(team)s no longer counts and stays on "
                    "record. Sheets of the team that count now: %(count)s."
                )
                % params
            )
        return (
            _(
                "“%(round)s”: no submitted sheet is concerned. "
                "Sheets of %(team)s that count: %(count)s."
            )
            % params
        )


def effects(recusal: Recusal) -> list[Effect]:
    """Round by round, what the declared conflict means for the team's sheets."""
    found = []
    for assignment in Assignment.objects.filter(
        judge=recusal.judge, participation__team=recusal.team
    ).select_related("participation__round", "participation__team", "scoresheet"):
        participation = assignment.participation
        sheet = getattr(assignment, "scoresheet", None)
        others = Recusal.objects.filter(team=recusal.team).values("judge")
        counted = Scoresheet.objects.filter(
            assignment__participation=participation, status=ScoresheetStatus.SUBMITTED
        ).exclude(assignment__judge__in=others)
        found.append(
            Effect(
                participation,
                sheet is not None and sheet.status == ScoresheetStatus.SUBMITTED,
                counted.count(),
            )
        )
    return found


def _record(kind: str, recusal: Recusal, by: User, reason: str) -> None:
    """Enter the conflict, or its end, in every round of the team, and have them ranked anew."""
    participations = Participation.objects.filter(team=recusal.team).select_related("round")
    for participation in participations.order_by("round"):
        record.append(
            participation.round,
            kind,
            judge=recusal.judge,
            participation=participation,
            by=by,
            reason=reason,
        )
        transaction.on_commit(
            lambda round=participation.round: ranking_inputs_changed.send(
                sender=Recusal, round=round
            )
        )


def recuse(judge: Judge, team: Team, by: User, reason: str) -> Recusal:
    """Declare a conflict of interest, before or after scoring: by the judge or an organizer.

    The judge's sheets for the team stay on record and no longer count. Declaring it twice changes
    nothing. Raises Refused.
    """
    if by.pk != judge.user_id and not is_organizer(by, judge.event):
        raise Refused(_("Only the judge or an organizer can do this."), code="not_allowed")
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    wanted = {"reason": reason[:300], "declared_by": by}
    Recusal(judge=judge, team=team, **wanted).full_clean(
        validate_unique=False, validate_constraints=False
    )
    with transaction.atomic():
        # A second tap may come while the first is being written: it finds what that has made.
        recusal, created = Recusal.objects.get_or_create(judge=judge, team=team, defaults=wanted)
        if created:
            LogEntry.write(recusal, "recused", by=by, reason=reason)
            _record(RecordEntry.Kind.RECUSED, recusal, by, reason)
    return recusal


@transaction.atomic
def lift_recusal(recusal: Recusal, by: User, reason: str) -> None:
    """Take a declared conflict back, with a reason; the sheets count again.

    Done twice, it changes nothing the second time. Raises Refused.
    """
    if not is_organizer(by, recusal.judge.event):
        raise Refused(_("Only an organizer can do this."), code="not_allowed")
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    if not Recusal.objects.select_for_update(of=("self",)).filter(pk=recusal.pk).first():
        return  # somebody took it back already
    LogEntry.write(recusal, "recusal_lifted", by=by, reason=reason)
    _record(RecordEntry.Kind.RECUSAL_LIFTED, recusal, by, reason)
    recusal.delete()
