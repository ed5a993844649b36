"""Score sheets: marks that are saved one by one, once each, and never lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import User
from contest.signals import ranking_inputs_changed
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Assignment, Criterion, Mark, RecordEntry, Recusal, Scoresheet
from judging.roles import may_score
from judging.services import record
from judging.services.totals import exact_total, fraction_to_decimal, missing
from judging.states import ScoresheetStatus

Kind = RecordEntry.Kind
TEXTS = {"comment": Kind.COMMENT, "private_note": Kind.NOTE}
MAX_TEXT = 4000


@dataclass(frozen=True)
class Sent:
    """How a change came: the key that makes it harmless when repeated, and from which tablet.

    ``base`` is the number of the record's entry that the tablet knew of what it changes, so that a
    change made meanwhile on another tablet is noticed; 0 if it knew of none. ``is_imported`` says
    that it was read in from a file, and so may be older than what its own tablet has sent since.
    """

    key: str
    device: str = ""
    device_at: datetime | None = None
    base: int = 0
    is_imported: bool = False

    def __post_init__(self):
        if not 1 <= len(self.key) <= 64:
            raise ValidationError(_("The key of the request must have 1 to 64 characters."))
        if len(self.device) > 64:
            raise ValidationError(_("The name of the tablet has at most 64 characters."))


class Conflict(Refused):
    """This changed and the sender did not know: on another tablet of the same judge, or because the
    organizers returned the sheet. ``entry`` of the record says what was done last."""

    def __init__(self, entry: RecordEntry | None):
        super().__init__(
            _("This was changed on another tablet of yours. Choose which one holds."),
            code="conflict",
        )
        self.entry = entry


def open_sheet(assignment: Assignment) -> Scoresheet:
    """The assignment's sheet, made when it is first needed."""
    sheet, _created = Scoresheet.objects.get_or_create(assignment=assignment)
    return sheet


def _locked(sheet: Scoresheet) -> Scoresheet:
    """The sheet, ours until the transaction ends.

    It is read once it is locked: while we waited, its panel may have got another rubric.
    """
    Scoresheet.objects.select_for_update(of=("self",)).get(pk=sheet.pk)
    return Scoresheet.objects.select_related(
        "assignment__judge",
        "assignment__panel__rubric",
        "assignment__participation__round__event",
        "assignment__participation__team",
    ).get(pk=sheet.pk)


def is_recused(assignment: Assignment) -> bool:
    return Recusal.objects.filter(
        judge=assignment.judge_id, team=assignment.participation.team_id
    ).exists()


def may_write_in(round_status: str, sheet_status: str) -> bool:
    """Whether a sheet in this state takes marks while its round is in that one.

    A round that is closed is locked, but for a sheet that the organizers returned.
    """
    if sheet_status == ScoresheetStatus.SUBMITTED:
        return False
    if round_status == RoundStatus.CLOSED:
        return sheet_status == ScoresheetStatus.RETURNED
    return round_status == RoundStatus.OPEN


def _require_judge(sheet: Scoresheet, by: User) -> None:
    if not may_score(by, sheet.assignment):
        raise Refused(_("Only the judge of this sheet can write on it."), code="not_your_sheet")


def _require_writable(sheet: Scoresheet) -> None:
    """Raise Refused unless the sheet takes marks now."""
    assignment = sheet.assignment
    round = assignment.participation.round
    if assignment.participation.status != ParticipationStatus.ACTIVE:
        raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
    if assignment.released_at is not None:
        raise Refused(_("You were released from this team."), code="released")
    if is_recused(assignment):
        raise Refused(_("You declared a conflict of interest with this team."), code="recused")
    if not sheet.is_editable:
        raise Refused(
            _("This sheet was submitted. Ask the organizers to return it to you."),
            code="sheet_submitted",
        )
    if not may_write_in(round.status, sheet.status):
        raise Refused(
            _("“%(round)s” is not open for scoring."),
            code="round_not_open",
            params={"round": round.name},
        )


def _repeat(sheet: Scoresheet, sent: Sent, **said) -> RecordEntry | None:
    """The entry this key made before. Raises Refused if it said something else then."""
    earlier = RecordEntry.objects.filter(scoresheet=sheet, key=sent.key).first()
    if earlier is not None and any(getattr(earlier, name) != said[name] for name in said):
        raise Refused(_("The key of this request was used for something else."), code="key_reused")
    return earlier


def _require_known(sheet: Scoresheet, sent: Sent, **what) -> None:
    """Raise Conflict if another tablet made an entry of this that the sender did not know.

    Entries of the organizers do not count: they carry over what the judge gave before.
    """
    if not sent.device:
        return
    own = RecordEntry.objects.filter(scoresheet=sheet, by=sheet.assignment.judge.user_id, **what)
    newest = own.order_by("number").last()
    if newest is not None and newest.number > sent.base and not _follows(sent, newest):
        raise Conflict(newest)


def _follows(sent: Sent, entry: RecordEntry) -> bool:
    """Whether the tablet that made the entry sends this after it.

    A tablet sends in the order in which its judge tapped; what comes from a file may be older.
    """
    if entry.device != sent.device:
        return False
    if not sent.is_imported:
        return True
    return bool(entry.device_at and sent.device_at and entry.device_at <= sent.device_at)


def _in_force(criterion: Criterion, sheet: Scoresheet) -> Criterion:
    """The criterion as the sheet has it now, ours until the transaction ends.

    A tablet that was away may send marks by the version of the rubric before this one; they count
    where the criterion still asks the same. Raises ValidationError where it is not on the sheet.
    """
    now = (
        Criterion.objects.select_for_update(no_key=True, of=("self",))
        .filter(rubric=sheet.assignment.panel.rubric_id, code=criterion.code)
        .first()
    )
    if now is None:
        raise ValidationError(_("The criterion belongs to another rubric."))
    if now.pk != criterion.pk and not now.asks_the_same_as(criterion):
        raise Refused(
            _("“%(criterion)s” was changed. Open the sheet anew and mark it again."),
            code="criterion_changed",
            params={"criterion": now.name},
        )
    return now


def _write(sheet: Scoresheet, kind: str, by: User, sent: Sent | None = None, **fields):
    assignment = sheet.assignment
    if sent is not None:
        fields |= {"key": sent.key, "device": sent.device, "device_at": sent.device_at}
    return record.append(
        assignment.participation.round,
        kind,
        judge=assignment.judge,
        participation=assignment.participation,
        scoresheet=sheet,
        by=by,
        **fields,
    )


def save_mark(
    sheet: Scoresheet,
    criterion: Criterion,
    value: Decimal | None,
    *,
    sent: Sent,
    by: User,
    reason: str = "",
) -> RecordEntry:
    """Set, change or (None) clear one mark, and keep the change in the round's record.

    ``sent.key`` names the tap that made it: sent again, whatever became of the answer, it gives
    the same entry, even when the sheet has been submitted since. Raises Refused (Conflict among
    them), or ValidationError for a mark off the criterion's scale.
    """
    with transaction.atomic():
        sheet = _locked(sheet)
        _require_judge(sheet, by)
        said = {"kind": Kind.MARK, "criterion_code": criterion.code, "value": value}
        if earlier := _repeat(sheet, sent, **said):
            return earlier
        criterion = _in_force(criterion, sheet)
        _require_writable(sheet)
        if value is not None:
            value += 0  # −0 is 0
            criterion.validate_mark(value)
        # By its code: a mark that a new version of the rubric carried over has its judge's entry
        # under the criterion of the version before.
        _require_known(sheet, sent, kind=Kind.MARK, criterion__code=criterion.code)
        marks = {mark.criterion_id: mark for mark in sheet.marks.all()}
        mark = marks.get(criterion.pk)
        previous = mark.value if mark else None
        if value is None:
            if mark:
                mark.delete()
        elif mark:
            mark.value = value
            mark.save(update_fields=["value"])
        else:
            Mark.objects.create(scoresheet=sheet, criterion=criterion, value=value)
        sheet.save(update_fields=["updated_at"])
        if not marks:  # whoever has one has told already
            rubric = sheet.assignment.panel.rubric
            record.tell_criteria(sheet.assignment.participation.round, rubric)
        return _write(
            sheet,
            Kind.MARK,
            by,
            sent,
            criterion=criterion,
            value=value,
            previous=previous,
            reason=reason[:1000],
        )


def note_digest(sheet: Scoresheet, text: str, secret: str | None = None) -> str:
    """What the record keeps of a private note: that it changed, not what it says.

    Keyed, so that whoever reads the record or its export cannot try out what a short note said.
    """
    mac = salted_hmac(f"private note {sheet.pk}", text, secret=secret, algorithm="sha256")
    return mac.hexdigest()


def save_text(sheet: Scoresheet, name: str, text: str, *, sent: Sent, by: User) -> RecordEntry:
    """Keep the ``comment`` to the team or the judge's ``private_note``; same rules as a mark."""
    if len(text) > MAX_TEXT:
        raise ValidationError(
            _("The text has %(length)s characters; at most %(most)s are kept."),
            params={"length": len(text), "most": MAX_TEXT},
        )
    kept = note_digest(sheet, text) if name == "private_note" else text
    with transaction.atomic():
        sheet = _locked(sheet)
        _require_judge(sheet, by)
        if earlier := _repeat(sheet, sent, kind=TEXTS[name], text=kept):
            return earlier
        _require_writable(sheet)
        _require_known(sheet, sent, kind=TEXTS[name])
        setattr(sheet, name, text)
        sheet.save(update_fields=[name, "updated_at"])
        return _write(sheet, TEXTS[name], by, sent, text=kept)


def submit_sheet(
    sheet: Scoresheet,
    by: User,
    *,
    sent: Sent | None = None,
    seen: Mapping[int, Decimal] | None = None,
) -> Scoresheet:
    """Hand the sheet in; doing it twice changes nothing. Raises Refused.

    ``seen`` are the marks (by criterion) that the judge confirmed; where the server holds others,
    Conflict is raised, be the sheet handed in already or not. ``sent.base`` is the number of the
    entry by which, as far as the tablet knew, the sheet was handed in or returned last: a request
    that was made before a return does not undo it.
    """
    with transaction.atomic():
        sheet = _locked(sheet)
        _require_judge(sheet, by)
        if sent is not None and _repeat(sheet, sent, kind=Kind.SUBMITTED):
            return sheet
        marks = dict(sheet.marks.values_list("criterion_id", "value"))
        is_submitted = sheet.status == ScoresheetStatus.SUBMITTED
        if seen is not None and dict(seen) != marks:
            raise Conflict(_newest(sheet, Kind.SUBMITTED if is_submitted else Kind.MARK))
        if is_submitted:
            return sheet
        _require_writable(sheet)
        returned = _newest(sheet, Kind.RETURNED)
        if sent is not None and returned is not None and returned.number > sent.base:
            raise Conflict(returned)
        if lacking := missing(sheet.assignment.panel.rubric.criteria.all(), marks):
            raise Refused(
                _("Marks are missing for: %(names)s."),
                code="marks_missing",
                params={"names": ", ".join(criterion.name for criterion in lacking)},
            )
        sheet.move_to(ScoresheetStatus.SUBMITTED, by=by, submitted_at=timezone.now())
        _write(sheet, Kind.SUBMITTED, by, sent)
        _ranking_changed(sheet.assignment)
    return sheet


def _newest(sheet: Scoresheet, kind: str) -> RecordEntry | None:
    return sheet.entries.filter(kind=kind).order_by("number").last()


def return_sheet(sheet: Scoresheet, by: User, reason: str) -> Scoresheet:
    """Give a submitted sheet back to its judge, with a reason. It does not count until then."""
    if not reason.strip():
        raise Refused(_("Give a reason; the judge sees it."), code="reason_required")
    with transaction.atomic():
        sheet = _locked(sheet)
        round = sheet.assignment.participation.round
        round.require_undecided()
        if sheet.status == ScoresheetStatus.RETURNED:
            return sheet
        sheet.move_to(ScoresheetStatus.RETURNED, by=by, reason=reason)
        _write(sheet, Kind.RETURNED, by, reason=reason)
        _ranking_changed(sheet.assignment)
    return sheet


def _ranking_changed(assignment: Assignment) -> None:
    round = assignment.participation.round
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Scoresheet, round=round))


def weighted_total(sheet: Scoresheet) -> Decimal | None:
    """The sheet's total to twelve decimals, for showing; None until it is complete."""
    marks = dict(sheet.marks.values_list("criterion_id", "value"))
    total = exact_total(sheet.assignment.panel.rubric.criteria.all(), marks)
    return None if total is None else fraction_to_decimal(total)
