"""Who goes on from a round: proposed from the ranking, decided where it ties, signed."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, Round, User
from contest.services.rounds import (
    COMPETING,
    join_round,
    leave_round,
    mark_decided,
    undo_decided,
)
from contest.states import ParticipationStatus, RoundStatus, TeamStatus
from judging.models import Assignment, RecordEntry
from judging.services import record
from judging.services.panels import unassign
from judging.services.runs import pending
from leaderboard.models import Advancement, AdvancementRow, SchemeComponent, Signature
from leaderboard.ranking.selection import Decision, Selection, Tie, select
from leaderboard.services import advancement_rules as rules
from leaderboard.services import signature, standings
from leaderboard.services.schemes import ensure_scheme
from leaderboard.states import ADVANCING, AdvancementStatus, Outcome

UNSIGNED = (AdvancementStatus.DRAFT, AdvancementStatus.SIGNED_ONCE)


def in_force(round: Round) -> Advancement | None:
    """The round's proposal or signed decision."""
    return (
        Advancement.objects.filter(round=round)
        .exclude(status=AdvancementStatus.REVOKED)
        .select_related("round__event", "standing", "signed_by")
        .first()
    )


def propose(round: Round, by: User) -> Advancement:
    """Select from the newest full standing by the round's rule; asking again while neither has
    changed gives the same proposal.

    A tie for more places than there are is marked and waits for ``decide_tie``. Wildcards and
    decisions on ties of the proposal before are taken over as far as they still apply; what is not
    is in ``dropped``. Raises Refused unless the round is closed.
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
        rule = rules.snapshot(round)
        if existing is not None:
            if existing.standing_id == standing.pk and not is_outdated(existing):
                return existing
            existing.move_to(AdvancementStatus.REVOKED, by=by, reason="newer standing")
        before = Advancement.objects.filter(round=round).first()
        proposal = Advancement.objects.create(
            round=round,
            standing=standing,
            rule=rule,
            decisions=before.decisions if before else [],
        )
        given = _wildcards(before) if before else {}
        AdvancementRow.objects.bulk_create(
            AdvancementRow(
                advancement=proposal,
                row=row,
                outcome=Outcome.OUT,
                reason=given.pop(row.participation_id, ""),
            )
            for row in standing.rows.all()
        )
        _settle(proposal, tell=True)
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


# --- The selection that a proposal holds -----------------------------------------------------


def kept_rule(advancement: Advancement) -> dict:
    """The rule of the proposal; of one from before there were rules, the number alone."""
    return advancement.rule or {
        "count": advancement.standing.method["advance_count"],
        "wildcards": 0,
        "reserves": 0,
        "ties": "ask",
        "quotas": [],
    }


def _read(advancement: Advancement) -> list[AdvancementRow]:
    return list(advancement.rows.select_related("row__participation__team"))


def _wildcards(advancement: Advancement) -> dict[int, str]:
    """Reasons of the wildcards that were given, by participation."""
    given = advancement.rows.exclude(reason="")
    return dict(given.values_list("row__participation_id", "reason"))


def _select(advancement: Advancement, rows: list[AdvancementRow]) -> Selection:
    return select(
        rules.candidates(advancement.round, (item.row for item in rows)),
        rules.selection_rule(kept_rule(advancement)),
        [
            Decision(frozenset(made["tied"]), frozenset(made["chosen"]))
            for made in advancement.decisions
        ],
        frozenset(item.row.participation_id for item in rows if item.reason),
    )


def open_tie(advancement: Advancement) -> Tie | None:
    """The tie that waits for a decision."""
    if advancement.status != AdvancementStatus.DRAFT:
        return None
    return _select(advancement, _read(advancement)).tie


def seats_left(advancement: Advancement) -> int:
    """How many places are left for those who tie across the cut."""
    tie = open_tie(advancement)
    return tie.seats if tie else 0


def _settle(advancement: Advancement, tell: bool = False) -> None:
    """Write what the selection makes of every team; ``tell`` what could not be taken over."""
    rows = _read(advancement)
    teams = {item.row.participation_id: item.row.participation.team for item in rows}
    dropped = []
    for item in rows:
        left = item.row.participation.status != ParticipationStatus.ACTIVE
        if item.reason and left:
            dropped.append([str(teams[item.row.participation_id]), "wildcard"])
            item.reason = ""
    selection = _select(advancement, rows)
    places = {place.key: place for place in selection.places}
    for item in rows:
        place = places[item.row.participation_id]
        item.outcome, item.number = place.outcome.value, place.number
        item.why = {name: value for name, value in vars(place.why).items() if value is not None}
        if item.reason and item.outcome == Outcome.IN:
            dropped.append([str(item.row.participation.team), "wildcard"])
            item.reason = ""
        elif item.reason and item.outcome != Outcome.TIED:
            item.outcome, item.number, item.why = Outcome.WILDCARD, None, {"code": "wildcard"}
    AdvancementRow.objects.bulk_update(rows, ["outcome", "number", "why", "reason"], batch_size=500)
    applied = {decision.tied for decision in selection.applied}
    if selection.tie is None:  # until then one may still come up
        for made in advancement.decisions:
            if frozenset(made["tied"]) not in applied:
                names = [str(teams[pk]) for pk in made["tied"] if pk in teams]
                dropped.append([", ".join(names), "tie"])
        advancement.decisions = [
            made for made in advancement.decisions if frozenset(made["tied"]) in applied
        ]
    used = [made for made in advancement.decisions if frozenset(made["tied"]) in applied]
    advancement.reason = "\n".join(made["reason"] for made in used)
    if tell:
        advancement.dropped = dropped
    advancement.save(update_fields=["decisions", "reason", "dropped"])


def is_outdated(advancement: Advancement) -> bool:
    """Whether the rule, or a country, organisation or track of a team, has changed since."""
    rule = rules.snapshot(advancement.round)
    if advancement.rule and advancement.rule != rule:
        return True
    rows = _read(advancement)
    places = {place.key: place for place in _select(advancement, rows).places}
    for item in rows:
        place = places[item.row.participation_id]
        found = (place.outcome.value, place.number)
        if item.outcome == Outcome.WILDCARD:
            if place.outcome in (Outcome.IN, Outcome.TIED):
                return True
        elif advancement.rule and found != (item.outcome, item.number):
            return True
    return False


@transaction.atomic
def decide_tie(
    advancement: Advancement, by: User, participation_ids_in, reason: str
) -> Advancement:
    """The organizer says which of the tied teams advance, and why; the log keeps both.

    Raises Refused without a reason, or for a team that does not tie.
    """
    advancement = _lock_draft(advancement)
    if not reason.strip():
        raise Refused(_("Give the reason for the decision."), code="reason_required")
    chosen = frozenset(participation_ids_in)
    tie = open_tie(advancement)
    if tie is None or not chosen <= tie.keys:
        raise Refused(_("Only teams that tie across the cut are up for decision."), code="not_tied")
    if not tie.allows(chosen):
        raise Refused(
            _("Choose as many teams as the quotas leave places for (at most %(seats)s).")
            if tie.by_quota
            else _("Choose as many teams as there are places left (%(seats)s), or all that tie."),
            code="wrong_number",
            params={"seats": tie.seats},
        )
    others = [made for made in advancement.decisions if frozenset(made["tied"]) != tie.keys]
    made = {"tied": sorted(tie.keys), "chosen": sorted(chosen), "reason": reason.strip()}
    advancement.decisions = [*others, made]
    _settle(advancement)
    teams = Participation.objects.filter(pk__in=chosen).select_related("team").order_by("pk")
    names = ", ".join(participation.team.code for participation in teams)
    LogEntry.write(advancement, "tie_decided", by=by, after=names, reason=reason)
    return advancement


@transaction.atomic
def undo_ties(advancement: Advancement, by: User, reason: str) -> Advancement:
    """Take the decisions on ties back, so that they are asked for anew. Raises Refused."""
    advancement = _lock_draft(advancement)
    if not reason.strip():
        raise Refused(_("Give a reason; it is kept in the log."), code="reason_required")
    if advancement.decisions:
        advancement.decisions = []
        _settle(advancement)
        LogEntry.write(advancement, "tie_undone", by=by, reason=reason)
    return advancement


@transaction.atomic
def give_wildcard(
    advancement: Advancement, participation: Participation, by: User, reason: str
) -> Advancement:
    """Let a team advance beside those whom the rule lets in, with a reason.

    Giving it twice changes nothing. Raises Refused without a reason, where all wildcards are given,
    or for a team that left, advances anyway, or ties with others.
    """
    advancement = _lock_draft(advancement)
    if not reason.strip():
        raise Refused(_("Give the reason for the wildcard."), code="reason_required")
    item = advancement.rows.filter(row__participation=participation).first()
    if item is None or participation.status != ParticipationStatus.ACTIVE:
        raise Refused(_("The team does not take part in this round."), code="not_taking_part")
    if item.reason:
        return advancement
    if item.outcome in (Outcome.IN, Outcome.TIED):
        raise Refused(
            _("The team advances without a wildcard, or ties; decide the tie first."),
            code="no_wildcard_needed",
        )
    most = kept_rule(advancement)["wildcards"]
    if advancement.rows.exclude(reason="").count() >= most:
        raise Refused(
            _("The rule has %(count)s wildcards, and all are given."),
            code="no_wildcard_left",
            params={"count": most},
        )
    item.reason = reason.strip()
    item.save(update_fields=["reason"])
    _settle(advancement)
    LogEntry.write(
        advancement, "wildcard_given", by=by, after=str(participation.team), reason=reason
    )
    return advancement


@transaction.atomic
def take_wildcard(advancement: Advancement, participation: Participation, by: User) -> Advancement:
    """Take a wildcard back; from a team that has none, nothing."""
    advancement = _lock_draft(advancement)
    given = advancement.rows.filter(row__participation=participation).exclude(reason="")
    if given.update(reason=""):
        _settle(advancement)
        LogEntry.write(advancement, "wildcard_taken_back", by=by, before=str(participation.team))
    return advancement


def _lock_draft(advancement: Advancement) -> Advancement:
    """The proposal as it is, locked. Raises Refused once somebody has signed it."""
    advancement = (
        Advancement.objects.select_for_update(of=("self",))
        .select_related("round__track", "standing")
        .get(pk=advancement.pk)
    )
    _require(advancement, AdvancementStatus.DRAFT)
    return advancement


def _require(advancement: Advancement, *statuses: str) -> None:
    if advancement.status not in statuses:
        raise Refused(
            _("This decision is “%(status)s” already."),
            code="not_a_proposal",
            params={"status": advancement.get_status_display()},
        )


# --- Signatures ------------------------------------------------------------------------------


def sign_off(advancement: Advancement, by: User) -> Advancement:
    """Sign the proposal. With the last signature that the event asks for it is final: the round is
    decided and those who advance are in the next one.

    Signing twice changes nothing; the second signature is another person's. Raises Refused while a
    tie is open or when the ranking or the rule has changed since the proposal.
    """
    standings.refresh(advancement.round)
    with transaction.atomic():
        round = Round.objects.select_for_update(of=("self",)).get(pk=advancement.round_id)
        advancement = Advancement.objects.select_for_update(of=("self",)).get(pk=advancement.pk)
        if advancement.status == AdvancementStatus.SIGNED:
            return advancement
        _require(advancement, *UNSIGNED)
        _require_scored(round)
        if advancement.rows.filter(outcome=Outcome.TIED).exists():
            raise Refused(
                _("Teams tie across the cut. Decide which of them advance first."),
                code="tie_open",
            )
        if is_outdated(advancement):
            raise Refused(
                _("The rule, or what it asks of the teams, has changed since this proposal. "
                  "Propose again and check it."),
                code="rule_outdated",
            )  # fmt: skip
        # From here on nothing that the ranking is made of comes into the record; what came since
        # the ranking was brought up to date is seen by its inputs.
        record.hold(round)
        fresh = standings.input_digest(round, standings.FULL)
        if not advancement.standing.is_current or advancement.standing.input_digest != fresh:
            raise Refused(
                _("The ranking has changed since this proposal. Propose again and check it."),
                code="standing_outdated",
            )
        now = timezone.now()
        Signature.objects.get_or_create(advancement=advancement, by=by, defaults={"at": now})
        if round.event.needs_two_signatures and advancement.signatures.count() < 2:
            advancement.move_to(AdvancementStatus.SIGNED_ONCE, by=by)
        else:
            _complete(round, advancement, by, now)
    advancement.round.refresh_from_db()
    return advancement


def _complete(round: Round, advancement: Advancement, by: User, now) -> None:
    advancement.move_to(AdvancementStatus.SIGNED, by=by, signed_at=now, signed_by=by)
    signature.enter(advancement, RecordEntry.Kind.SIGNED, by)
    following = round.next()
    if following is not None:
        for row in advancing(advancement):
            join_round(following, row.row.participation.team)
    mark_decided(round, by)


def advancing(advancement: Advancement):
    """The rows of those who advance, best first."""
    return advancement.rows.filter(outcome__in=ADVANCING).select_related("row__participation__team")


def has_left(item: AdvancementRow) -> str:
    """The outcome of a team that advanced and competes no longer; empty while it competes."""
    participation = item.row.participation
    gone = (participation.team.status, participation.status)
    if participation.team.status in COMPETING and gone[1] == ParticipationStatus.ACTIVE:
        return ""
    return Outcome.DISQUALIFIED if TeamStatus.DISQUALIFIED in gone else Outcome.WITHDRAWN


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
            teams = [row.row.participation.team_id for row in advancing(advancement)]
            leaving = following.participations.filter(
                team__in=teams, status=ParticipationStatus.ACTIVE
            )
            for assignment in Assignment.objects.filter(participation__in=leaving):
                unassign(assignment, by)
            for participation in leaving:
                leave_round(participation, by, reason)
        undo_decided(round, by, reason)
    return advancement
