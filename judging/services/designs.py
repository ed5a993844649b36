"""Balanced assignments: proposed first, with how balanced they are, and applied as proposed."""

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, User
from contest.states import ParticipationStatus
from judging.design import Design, design
from judging.models import Assignment, Judge, Panel, RecordEntry, Recusal, Scoresheet
from judging.services.locks import lock_panel
from judging.services.panels import add_assignments, same_organisations
from judging.services.telling import tell_desk, tell_judges

MOST_K = 100
FLAGS = ("keep", "skip_others", "accept_fewer")


@dataclass(frozen=True)
class Wish:
    """What the organizer asks for.

    ``keep`` leaves every assignment that is there; without it only those with marks stay.
    ``skip_others`` leaves out teams that another panel of the round judges. ``accept_fewer`` lets
    teams have fewer than ``k`` judges where conflicts of interest leave no more.
    """

    k: int
    seed: str = ""
    keep: bool = True
    skip_others: bool = False
    accept_fewer: bool = False

    def __post_init__(self):
        if not 1 <= self.k <= MOST_K:
            raise ValidationError(
                _("A team gets between 1 and %(most)s judges."), params={"most": MOST_K}
            )
        if len(self.seed) > 64:
            raise ValidationError(_("The seed has at most 64 characters."))

    def __str__(self) -> str:
        """Everything that the design hangs on, as the log keeps it."""
        return f"k = {self.k}, seed = {self.seed}, {' '.join(self.flags) or 'no flags'}"

    def query(self, seed: str) -> str:
        """The same wish with another seed, as the design page's form sends it."""
        return urlencode({"k": self.k, "seed": seed, **dict.fromkeys(self.flags, "on")})

    @property
    def flags(self) -> list[str]:
        return [name for name in FLAGS if getattr(self, name)]


@dataclass(frozen=True)
class Proposal:
    """A design for a panel, with the objects it speaks of; nothing is written yet."""

    wish: Wish
    design: Design
    judges: list[Judge]
    participations: list[Participation]
    added: list[tuple[int, int]]  # (judge, participation)
    removed: list[Assignment]
    # Pairs that a conflict of interest or the same organisation keeps apart.
    barred: frozenset[tuple[int, int]]
    # Teams with fewer judges than asked for, and who is kept from them.
    short: list[tuple[Participation, int, list[Judge]]]

    @property
    def digest(self) -> str:
        """Names the whole matrix, so that what is applied is what was looked at."""
        said = [self.wish.k, self.wish.seed, sorted(self.design.pairs)]
        return hashlib.sha256(repr(said).encode()).hexdigest()


def new_seed() -> str:
    return secrets.token_hex(4)


def propose(panel: Panel, wish: Wish) -> Proposal:
    """What the design would be. Raises Refused where there is nothing to design.

    A conflict of interest, the same organisation, and a team that the judge has in another panel
    or was released from are never proposed.
    """
    seated = list(panel.judges.all())
    participations = _teams(panel, wish)
    if not participations:
        raise Refused(_("No team is in the round yet."), code="no_teams")
    if wish.k > len(seated):
        raise Refused(
            _("%(k)s judges a team are asked for, but the panel has %(count)s."),
            code="too_few_judges",
            params={"k": wish.k, "count": len(seated)},
        )
    by_pk = {participation.pk: participation for participation in participations}
    recused = set(
        Recusal.objects.filter(judge__event=panel.round.event_id).values_list("judge_id", "team_id")
    )
    apart = recused | same_organisations(seated, (item.team for item in participations))
    forbidden = {
        (judge.pk, participation.pk)
        for judge in seated
        for participation in participations
        if (judge.pk, participation.team_id) in apart
    }
    barred = frozenset(forbidden)
    there = list(
        Assignment.objects.filter(participation__in=by_pk).select_related(
            "judge", "participation__team", "participation__round", "panel"
        )
    )
    marked = set(
        RecordEntry.objects.filter(scoresheet__assignment__in=there).values_list(
            "scoresheet__assignment", flat=True
        )
    )
    kept, removed, judges = set(), [], {judge.pk: judge for judge in seated}
    for assignment in there:
        pair = (assignment.judge_id, assignment.participation_id)
        forbidden.add(pair)
        out = (
            assignment.panel_id != panel.pk
            or assignment.released_at is not None
            or (assignment.judge_id, by_pk[assignment.participation_id].team_id) in recused
        )
        if out:
            continue
        if wish.keep or assignment.pk in marked:
            kept.add(pair)
            judges.setdefault(assignment.judge_id, assignment.judge)
        else:
            removed.append(assignment)
            if pair not in barred:
                forbidden.discard(pair)
    made = design(
        [judge.pk for judge in seated],
        by_pk,
        wish.k,
        forbidden=forbidden,
        kept=kept,
        absent=judges.keys() - {judge.pk for judge in seated},
        seed=wish.seed,
    )
    # What is given again need not be taken away first.
    removed = [a for a in removed if (a.judge_id, a.participation_id) not in made.pairs]
    had = {(a.judge_id, a.participation_id) for a in there}
    return Proposal(
        wish,
        made,
        [judges[pk] for pk in sorted(judges, key=lambda pk: (judges[pk].name, pk))],
        participations,
        sorted(made.new - had),
        removed,
        barred,
        [
            (by_pk[item.team], item.got, [judges[pk] for pk in item.forbidden])
            for item in made.short
        ],
    )  # fmt: skip


def _teams(panel: Panel, wish: Wish) -> list[Participation]:
    found = panel.round.participations.filter(status=ParticipationStatus.ACTIVE)
    if wish.skip_others:
        elsewhere = Assignment.objects.filter(panel__round=panel.round_id).exclude(panel=panel)
        found = found.exclude(pk__in=elsewhere.values("participation"))
    return list(found.select_related("team"))


def require_enough(proposal: Proposal) -> None:
    """Raise Refused, naming the teams, where some get fewer judges than asked for."""
    if proposal.short and not proposal.wish.accept_fewer:
        names = [
            f"{participation.team} ({got})" for participation, got, _forbidden in proposal.short
        ]
        raise Refused(
            _(
                "These teams cannot have %(k)s judges, because of conflicts of interest or the "
                "same organisation: %(teams)s."
            ),
            code="too_few_allowed",
            params={"k": proposal.wish.k, "teams": ", ".join(names)},
        )


@transaction.atomic
def apply(panel: Panel, wish: Wish, by: User, seen: str = "") -> Proposal:
    """Write the design; ``seen`` is the digest of the proposal that was looked at.

    Applied again it changes nothing. Raises Refused where too few judges are allowed, or where the
    design has become another one meanwhile.
    """
    panel = lock_panel(panel)
    proposal = propose(panel, wish)
    require_enough(proposal)
    if seen and seen != proposal.digest:
        raise Refused(
            _(
                "Judges, teams, conflicts of interest or assignments have changed since the "
                "proposal. Look at it again."
            ),
            code="design_changed",
        )
    _take_back(panel, proposal.removed, by)
    add_assignments(panel, proposal.added)
    if proposal.added or proposal.removed:
        LogEntry.write(
            panel,
            "designed",
            by=by,
            before=f"−{len(proposal.removed)}",
            after=f"+{len(proposal.added)}, {wish}, design = {proposal.digest[:16]}",
        )
    return proposal


def _take_back(panel: Panel, assignments: list[Assignment], by: User) -> None:
    """Take teams on whose sheets nothing was written from their judges, who are told."""
    LogEntry.objects.bulk_create(
        LogEntry.about(panel, "unassigned", by=by, before=str(assignment))
        for assignment in assignments
    )
    Scoresheet.objects.filter(assignment__in=assignments).delete()
    Assignment.objects.filter(pk__in=[assignment.pk for assignment in assignments]).delete()
    if assignments:
        tell_desk(panel.round_id)
        tell_judges(assignment.judge_id for assignment in assignments)
