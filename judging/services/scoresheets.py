"""Score sheets: marks that are saved one by one, once each, and never lost."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest import live
from contest.errors import Refused
from contest.models import User
from contest.signals import ranking_inputs_changed
from contest.states import ParticipationStatus, RoundStatus
from judging.models import Assignment, Criterion, Mark, MarkRevision, Recusal, Scoresheet
from judging.roles import may_score
from judging.states import ScoresheetStatus


def open_sheet(assignment: Assignment) -> Scoresheet:
    """The assignment's sheet, made when it is first needed."""
    sheet, _created = Scoresheet.objects.get_or_create(assignment=assignment)
    return sheet


def _locked(sheet: Scoresheet) -> Scoresheet:
    return (
        Scoresheet.objects.select_for_update(of=("self",))
        .select_related(
            "assignment__judge",
            "assignment__panel__rubric",
            "assignment__participation__round__event",
            "assignment__participation__team",
        )
        .get(pk=sheet.pk)
    )


def is_recused(assignment: Assignment) -> bool:
    return Recusal.objects.filter(
        judge=assignment.judge_id, team=assignment.participation.team_id
    ).exists()


def _require_writable(sheet: Scoresheet, by: User) -> None:
    """Raise Refused unless ``by`` may write on the sheet now."""
    assignment = sheet.assignment
    if not may_score(by, assignment):
        raise Refused(_("Only the judge of this sheet can write on it."), code="not_your_sheet")
    round = assignment.participation.round
    if round.status != RoundStatus.OPEN:
        raise Refused(
            _("“%(round)s” is not open for scoring."),
            code="round_not_open",
            params={"round": round.name},
        )
    if assignment.participation.status != ParticipationStatus.ACTIVE:
        raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
    if is_recused(assignment):
        raise Refused(_("You declared a conflict of interest with this team."), code="recused")
    if not sheet.is_editable:
        raise Refused(
            _("This sheet was submitted. Ask the organizers to return it to you."),
            code="sheet_submitted",
        )


def _repeat(sheet, key: str, criterion: Criterion, value: Decimal | None) -> MarkRevision | None:
    """The revision this key made before. Raises Refused if it said something else then."""
    earlier = MarkRevision.objects.filter(scoresheet=sheet, key=key).first()
    if earlier is not None and (earlier.criterion_id, earlier.value) != (criterion.pk, value):
        raise Refused(_("The key of this request was used for another mark."), code="key_reused")
    return earlier


def save_mark(
    sheet: Scoresheet,
    criterion: Criterion,
    value: Decimal | None,
    *,
    key: str,
    by: User,
    device_at: datetime | None = None,
    reason: str = "",
) -> MarkRevision:
    """Set, change or (None) clear one mark, and keep the change as a revision.

    ``key`` names the tap that made it: sent again, whatever became of the answer, it gives the
    same revision, even when the sheet has been submitted since. Raises Refused, or ValidationError
    for a mark off the criterion's scale.
    """
    if not 1 <= len(key) <= 64:
        raise ValidationError(_("The key of the request must have 1 to 64 characters."))
    with transaction.atomic():
        sheet = _locked(sheet)
        if not may_score(by, sheet.assignment):
            raise Refused(_("Only the judge of this sheet can write on it."), code="not_your_sheet")
        if criterion.rubric_id != sheet.assignment.panel.rubric_id:
            raise ValidationError(_("The criterion belongs to another rubric."))
        if earlier := _repeat(sheet, key, criterion, value):
            return earlier
        _require_writable(sheet, by)
        if value is not None:
            criterion.validate_mark(value)
        mark = Mark.objects.filter(scoresheet=sheet, criterion=criterion).first()
        revision = MarkRevision.objects.create(
            scoresheet=sheet,
            criterion=criterion,
            value=value,
            previous=mark.value if mark else None,
            key=key,
            by=by,
            device_at=device_at,
            reason=reason[:300],
        )
        if value is None:
            if mark:
                mark.delete()
        else:
            Mark.objects.update_or_create(
                scoresheet=sheet, criterion=criterion, defaults={"value": value}
            )
        sheet.save(update_fields=["updated_at"])
        tell_desk(sheet.assignment.participation.round_id)
    return revision


def save_texts(
    sheet: Scoresheet, by: User, *, comment: str | None = None, private_note: str | None = None
) -> Scoresheet:
    """Keep the comment to the team and the judge's own note; None leaves one as it is."""
    with transaction.atomic():
        sheet = _locked(sheet)
        _require_writable(sheet, by)
        for name, text in (("comment", comment), ("private_note", private_note)):
            if text is not None:
                setattr(sheet, name, text[:4000])
        sheet.save(update_fields=["comment", "private_note", "updated_at"])
    return sheet


def missing_criteria(sheet: Scoresheet) -> list[Criterion]:
    return list(
        sheet.assignment.panel.rubric.criteria.exclude(pk__in=sheet.marks.values("criterion"))
    )


def submit_sheet(sheet: Scoresheet, by: User) -> Scoresheet:
    """Hand the sheet in; doing it twice changes nothing. Raises Refused."""
    with transaction.atomic():
        sheet = _locked(sheet)
        if not may_score(by, sheet.assignment):
            raise Refused(_("Only the judge of this sheet can write on it."), code="not_your_sheet")
        if sheet.status == ScoresheetStatus.SUBMITTED:
            return sheet
        _require_writable(sheet, by)
        if missing := missing_criteria(sheet):
            raise Refused(
                _("Marks are missing for: %(names)s."),
                code="marks_missing",
                params={"names": ", ".join(criterion.name for criterion in missing)},
            )
        sheet.move_to(ScoresheetStatus.SUBMITTED, by=by, submitted_at=timezone.now())
        _ranking_changed(sheet.assignment)
    return sheet


def return_sheet(sheet: Scoresheet, by: User, reason: str) -> Scoresheet:
    """Give a submitted sheet back to its judge, with a reason. It does not count until then."""
    if not reason.strip():
        raise Refused(_("Give a reason; the judge sees it."), code="reason_required")
    with transaction.atomic():
        sheet = _locked(sheet)
        round = sheet.assignment.participation.round
        if round.status in (RoundStatus.DECIDED, RoundStatus.PUBLISHED):
            raise Refused(
                _("The ranking of “%(round)s” is signed off; revoke that first."),
                code="round_decided",
                params={"round": round.name},
            )
        sheet.move_to(ScoresheetStatus.RETURNED, by=by, reason=reason)
        _ranking_changed(sheet.assignment)
    return sheet


def tell_desk(round_id: int) -> None:
    """Tell the organizers' open pages that the round's sheets are not what they were."""
    live.publish(live.channel("desk", round_id))


def _ranking_changed(assignment: Assignment) -> None:
    round = assignment.participation.round
    tell_desk(round.pk)
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Scoresheet, round=round))


def exact_total(criteria, marks: dict[int, Decimal]) -> Fraction | None:
    """Weighted total of one sheet between 0 and 100, exactly; None until every mark is there.

    100 · Σ w·(m − min)/(max − min) / Σ w over the rubric's ``criteria``; ``marks`` by their ids.
    """
    criteria = list(criteria)
    if not criteria or any(criterion.pk not in marks for criterion in criteria):
        return None
    share = Fraction(0)
    for criterion in criteria:
        low, high = Fraction(criterion.minimum), Fraction(criterion.maximum)
        share += Fraction(criterion.weight) * (Fraction(marks[criterion.pk]) - low) / (high - low)
    return 100 * share / sum(Fraction(criterion.weight) for criterion in criteria)


def weighted_total(sheet: Scoresheet) -> Decimal | None:
    """The sheet's weighted total to twelve decimals, for showing; None until it is complete."""
    marks = dict(sheet.marks.values_list("criterion_id", "value"))
    total = exact_total(sheet.assignment.panel.rubric.criteria.all(), marks)
    return None if total is None else fraction_to_decimal(total)


def fraction_to_decimal(value: Fraction) -> Decimal:
    """To twelve decimals, as standings store it."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("1e-12"))
