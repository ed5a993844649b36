"""What was signed, as a digest that stands in the round's judging record."""

import hashlib
import json
from datetime import UTC

from django.utils.translation import gettext as _

from contest.models import Round
from judging.models import RecordEntry
from judging.services import record
from leaderboard.models import Advancement, AdvancementRow, Standing, StandingRow
from leaderboard.states import AdvancementStatus, Outcome


def signed_digest(advancement: Advancement) -> str:
    """SHA-256 of what is signed: the standing's method and inputs, every place, who advances.

    Of the JSON text, keys sorted and without spaces, of ``{"inputs": digest of the standing's
    inputs, "method": its method, "reason": of the decision on a tie, "rows": [[participation,
    rank, total, outcome], …]}``, rows as they stand in the list, totals as decimal texts, and of a
    reserve ``reserve`` and its number. Where there are any: ``"rule"``, ``"decisions"`` on ties,
    ``"wildcards": {participation: reason}`` and, of several, ``"signatures": [[user, time], …]``.
    """
    standing = advancement.standing
    items = advancement.rows.all()
    outcomes = {item.row_id: _outcome(item) for item in items}
    rows = standing.rows.order_by("position")
    content = {
        "inputs": standing.input_digest,
        "method": standing.method,
        "reason": advancement.reason,
        "rows": [[*_place(row), outcomes.get(row.pk)] for row in rows],
    }
    wildcards = advancement.rows.exclude(reason="").values_list("row__participation_id", "reason")
    signatures = [
        [by, at.astimezone(UTC).isoformat(timespec="microseconds")]
        for by, at in advancement.signatures.values_list("by_id", "at")
    ]
    more = {
        "rule": advancement.rule,
        "decisions": advancement.decisions,
        "wildcards": {str(pk): reason for pk, reason in wildcards},
        "signatures": signatures if len(signatures) > 1 else [],
    }
    # What was signed before there were these has the digest that it had.
    content |= {name: value for name, value in more.items() if value}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _outcome(item: AdvancementRow) -> str:
    return f"{item.outcome} {item.number}" if item.outcome == Outcome.RESERVE else item.outcome


def _place(row: StandingRow) -> list:
    return [row.participation_id, row.rank, None if row.total is None else f"{row.total:.12f}"]


def enter(advancement: Advancement, kind: str, by, reason: str = "", **fields) -> None:
    """Put the signature, a promotion after it, or that it was revoked, into the judging record."""
    text = f"#{advancement.pk}"
    if kind != RecordEntry.Kind.REVOKED:
        text += f" {signed_digest(advancement)}"
    record.append(advancement.round, kind, by=by, text=text, reason=reason, **fields)


def differences(round: Round, signed: dict[int, str]) -> list[str]:
    """What of the round's signed ranking is not what its record says; see record_checked."""
    said = {pk for pk, digest in signed.items() if digest}
    found = []
    for advancement in Advancement.objects.filter(
        round=round, status=AdvancementStatus.SIGNED
    ).select_related("standing"):
        if signed.get(advancement.pk) != signed_digest(advancement):
            found.append(
                _("The ranking that was signed, or who advances, is not that of the record.")
            )
        said.discard(advancement.pk)
        if _is_published_otherwise(advancement.standing):
            found.append(_("The published ranking is not the one that was signed."))
    if said:
        found.append(_("The record says that the ranking is signed off; it is not."))
    return found


def _is_published_otherwise(signed: Standing) -> bool:
    """Whether the public copy of what was signed holds other places."""
    shown = Standing.objects.filter(round=signed.round_id, is_result=True, is_current=True).first()
    if shown is None or shown.input_digest != signed.input_digest:
        return False
    theirs = [_place(row) for row in shown.rows.order_by("position")]
    among = {place[0] for place in theirs}
    places = (_place(row) for row in signed.rows.order_by("position"))
    return theirs != [place for place in places if place[0] in among]
