"""Who goes on from a round: proposed from the ranking, decided where it ties, signed."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Round, User
from contest.services.rounds import join_round, leave_round, mark_decided, undo_decided
from contest.states import RoundStatus
from judging.models import Assignment, RecordEntry
from judging.services import record
from judging.services.panels import unassign
from judging.services.runs import pending
from leaderboard.models import Advancement, AdvancementRow, SchemeComponent
from leaderboard.ranking import Placed, cut
from leaderboard.services import signature, standings
from leaderboard.services.schemes import ensure_scheme
from leaderboard.states import AdvancementStatus

IN, TIED, OUT = (
    AdvancementRow.Outcome.IN,
    AdvancementRow.Outcome.TIED,
    AdvancementRow.Outcome.OUT,
)


def in_force(round: Round) -> Advancement | None:
    """The round's proposal or signed decision."""
    return (
        Advancement.objects.filter(round=round)
        .exclude(status=AdvancementStatus.REVOKED)
        .select_related("round__event", "standing", "signed_by")
        .first()
    )


def propose(round: Round, by: User) -> Advancement:
    """Cut the newest full standing; asking again on the same standing gives the same proposal.

    A tie across the cut is marked and waits for ``decide_tie``. Raises Refused unless the round is
    closed.
    """
    standings.refresh(round)
    with transaction.atomic():
        round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
        existing = in_force(round)
        if existing is not None and existing.status == AdvancementStatus.SIGNED:
            return existing
        if round.status != RoundStatus.CLOSED:
            raise Refused(
                _("Close “%(round)s” before you decide who advances."),
                code="round_not_closed",
                params={"round": round.name},
            )
        _require_scored(round)
        standing = standings.current(round, standings.FULL)
        if standing is None or not standing.rows.exists():
            raise Refused(_("Nobody takes part in this round."), code="nobody_ranked")
        if existing is not None:
            if existing.standing_id == standing.pk:
                return existing
            existing.move_to(AdvancementStatus.REVOKED, by=by, reason="newer standing")
        rows = {row.pk: row for row in standing.rows.all()}
        places = [Placed(pk, row.rank, row.total) for pk, row in rows.items()]
        result = cut(places, ensure_scheme(round).advance_count)
        outcomes = {
            **dict.fromkeys(result.through, IN),
            **dict.fromkeys(result.tied, TIED),
            **dict.fromkeys(result.below, OUT),
        }
        proposal = Advancement.objects.create(round=round, standing=standing)
        AdvancementRow.objects.bulk_create(
            AdvancementRow(advancement=proposal, row=rows[pk], outcome=outcome)
            for pk, outcome in outcomes.items()
        )
    return proposal


def pending_submissions(round: Round) -> int:
    """How many submissions that the ranking is made of still wait for their score."""
    sources = {
        component.source
        for component in ensure_scheme(round).components.select_related("source")
        if component.kind == SchemeComponent.Kind.METRIC
    }
    return sum(pending(source) for source in sources)


def _require_scored(round: Round) -> None:
    if waiting := pending_submissions(round):
        raise Refused(
            _("%(count)s submissions still wait for their score. Decide once they have it."),
            code="scoring_pending",
            params={"count": waiting},
        )


def seats_left(advancement: Advancement) -> int:
    """How many places are left for those who tie across the cut."""
    through = advancement.rows.filter(outcome=IN).count()
    return max(0, advancement.standing.method["advance_count"] - through)


@transaction.atomic
def decide_tie(
    advancement: Advancement, by: User, participation_ids_in, reason: str
) -> Advancement:
    """The organizer says which of the tied teams advance, and why; the log keeps both.

    Raises Refused without a reason, or for a team that does not tie.
    """
    advancement = Advancement.objects.select_for_update(of=("self",)).get(pk=advancement.pk)
    _require_draft(advancement)
    if not reason.strip():
        raise Refused(_("Give the reason for the decision."), code="reason_required")
    tied = {row.row.participation_id: row for row in _rows(advancement, TIED)}
    chosen = set(participation_ids_in)
    if not tied or not chosen <= set(tied):
        raise Refused(_("Only teams that tie across the cut are up for decision."), code="not_tied")
    seats = seats_left(advancement)
    if len(chosen) != seats and chosen != set(tied):
        raise Refused(
            _("Choose as many teams as there are places left (%(seats)s), or all that tie."),
            code="wrong_number",
            params={"seats": seats},
        )
    for pk, row in tied.items():
        row.outcome = IN if pk in chosen else OUT
        row.save(update_fields=["outcome"])
    advancement.reason = reason
    advancement.save(update_fields=["reason"])
    names = ", ".join(str(tied[pk].row.participation.team.code) for pk in sorted(chosen))
    LogEntry.write(advancement, "tie_decided", by=by, after=names, reason=reason)
    return advancement


def _rows(advancement: Advancement, outcome: str):
    return advancement.rows.filter(outcome=outcome).select_related("row__participation__team")


def _require_draft(advancement: Advancement) -> None:
    if advancement.status != AdvancementStatus.DRAFT:
        raise Refused(
            _("This decision is “%(status)s” already."),
            code="not_a_proposal",
            params={"status": advancement.get_status_display()},
        )


def sign_off(advancement: Advancement, by: User) -> Advancement:
    """Make the proposal final: the round is decided and those who advance are in the next one.

    Signing twice changes nothing. Raises Refused while a tie is open or when the ranking has
    changed since the proposal.
    """
    standings.refresh(advancement.round)
    with transaction.atomic():
        round = Round.objects.select_for_update(of=("self",)).get(pk=advancement.round_id)
        advancement = Advancement.objects.select_for_update(of=("self",)).get(pk=advancement.pk)
        if advancement.status == AdvancementStatus.SIGNED:
            return advancement
        _require_draft(advancement)
        _require_scored(round)
        if advancement.rows.filter(outcome=TIED).exists():
            raise Refused(
                _("Teams tie across the cut. Decide which of them advance first."),
                code="tie_open",
            )
        # From here on nothing that the ranking is made of comes into the record; what came since
        # the ranking was brought up to date is seen by its inputs.
        record.hold(round)
        fresh = standings.input_digest(round, standings.FULL)
        if not advancement.standing.is_current or advancement.standing.input_digest != fresh:
            raise Refused(
                _("The ranking has changed since this proposal. Propose again and check it."),
                code="standing_outdated",
            )
        advancement.move_to(AdvancementStatus.SIGNED, by=by, signed_at=timezone.now(), signed_by=by)
        signature.enter(advancement, RecordEntry.Kind.SIGNED, by)
        following = round.next()
        if following is not None:
            for row in _rows(advancement, IN):
                join_round(following, row.row.participation.team)
        mark_decided(round, by)
    advancement.round.refresh_from_db()
    return advancement


@transaction.atomic
def revoke(advancement: Advancement, by: User, reason: str) -> Advancement:
    """Take a proposal or a signed decision back, with a reason.

    Raises Refused once the result is published or the next round has begun.
    """
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    round = Round.objects.select_for_update(of=("self",)).get(pk=advancement.round_id)
    advancement = Advancement.objects.select_for_update(of=("self",)).get(pk=advancement.pk)
    if round.status == RoundStatus.PUBLISHED:
        raise Refused(_("The result is public. Take the publication back first."), code="published")
    signed = advancement.status == AdvancementStatus.SIGNED
    following = round.next()
    if signed and following is not None and following.status != RoundStatus.DRAFT:
        raise Refused(
            _("“%(round)s” has begun; the decision stands."),
            code="next_round_begun",
            params={"round": following.name},
        )
    advancement.move_to(AdvancementStatus.REVOKED, by=by, reason=reason)
    if signed:
        signature.enter(advancement, RecordEntry.Kind.REVOKED, by, reason)
        if following is not None:
            teams = [row.row.participation.team_id for row in _rows(advancement, IN)]
            leaving = following.participations.filter(team__in=teams)
            for assignment in Assignment.objects.filter(participation__in=leaving):
                unassign(assignment, by)
            for participation in leaving:
                leave_round(participation, by, reason)
        undo_decided(round, by, reason)
    return advancement
