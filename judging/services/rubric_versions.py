"""Putting another version of its rubric in force in a panel whose judges gave marks.

``changes`` says what it would do before it is done, ``apply`` does just that. A mark is carried
over where the new version has the same criterion, asking the same, and the value lies on its scale.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest.errors import Refused
from contest.models import LogEntry, Participation, User
from contest.signals import ranking_inputs_changed
from contest.states import ParticipationStatus
from judging.models import Criterion, Mark, Panel, RecordEntry, Recusal, Rubric, Scoresheet
from judging.services import record
from judging.services.locks import lock_panel
from judging.services.rubrics import versions_of
from judging.services.scoresheets import return_sheet
from judging.services.totals import exact_total
from judging.states import ScoresheetStatus

# What judges of any country read, whoever put the version in force.
LANGUAGES = ("zh-hans", "en")


@dataclass(frozen=True)
class CriterionChange:
    """A criterion before and after; None where it is not there."""

    old: Criterion | None
    new: Criterion | None

    def _differs(self, *names: str) -> bool:
        if self.old is None or self.new is None:
            return False
        return any(getattr(self.old, name) != getattr(self.new, name) for name in names)

    @property
    def is_added(self) -> bool:
        return self.old is None

    @property
    def is_dropped(self) -> bool:
        return self.new is None

    @property
    def is_reweighted(self) -> bool:
        return self._differs("weight")

    @property
    def is_rescaled(self) -> bool:
        return self._differs("kind", "minimum", "maximum", "step")

    @property
    def is_reworded(self) -> bool:
        return self._differs("name_zh", "name_en", "guide_zh", "guide_en")

    @property
    def is_change(self) -> bool:
        return (
            self.is_added
            or self.is_dropped
            or self.is_reweighted
            or self.is_rescaled
            or self.is_reworded
        )

    @property
    def criterion(self) -> Criterion:
        return self.new or self.old


@dataclass(frozen=True)
class SheetChange:
    """One judge's sheet for one team, by both versions."""

    sheet: Scoresheet
    before: Fraction | None
    after: Fraction | None
    carried: tuple[tuple[Mark, Criterion], ...]  # with the criterion that each is carried to
    lost: tuple[Mark, ...]  # marks that mean nothing by the new version
    missing: tuple[Criterion, ...]  # what the judge has to mark anew
    counts: bool  # no conflict of interest

    @property
    def was_submitted(self) -> bool:
        return self.sheet.status == ScoresheetStatus.SUBMITTED

    @property
    def goes_back(self) -> bool:
        return self.was_submitted and bool(self.missing)

    @property
    def is_change(self) -> bool:
        return bool(self.lost) or self.goes_back or self.before != self.after


@dataclass(frozen=True)
class TeamChange:
    """A team's place by the plain mean of its submitted sheets, by both versions.

    The round's scheme may weigh and trim differently; this shows which way things go.
    """

    participation: Participation
    before: Fraction | None
    after: Fraction | None
    place_before: int | None
    place_after: int | None
    sheets_before: int
    sheets_after: int

    @property
    def is_change(self) -> bool:
        return (self.before, self.place_before) != (self.after, self.place_after)

    @property
    def change(self) -> Fraction | None:
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True)
class Changes:
    """What putting ``new`` in force in the panel does."""

    panel: Panel
    old: Rubric
    new: Rubric
    criteria: list[CriterionChange]
    sheets: list[SheetChange]
    teams: list[TeamChange]

    @property
    def going_back(self) -> list[SheetChange]:
        return [change for change in self.sheets if change.goes_back]

    @property
    def carried(self) -> int:
        return sum(len(change.carried) for change in self.sheets)

    @property
    def lost(self) -> int:
        return sum(len(change.lost) for change in self.sheets)

    @property
    def changes_veto_rule(self) -> bool:
        return self.old.veto_rule != self.new.veto_rule

    @property
    def is_wording_alone(self) -> bool:
        """Whether judges and teams notice nothing but other words."""
        return not self.changes_veto_rule and not any(
            c.is_added or c.is_dropped or c.is_reweighted or c.is_rescaled for c in self.criteria
        )

    @property
    def seen(self) -> str:
        """Names what somebody was shown, so that nobody agrees to something else.

        It covers the new version and what becomes of sheets, not the marks that judges go on
        giving meanwhile.
        """
        shown = {
            "old": self.old.pk,
            "new": self.new.pk,
            "rule": self.new.veto_rule,
            "criteria": [
                [c.pk, c.kind, *(str(value) for value in (c.weight, c.minimum, c.maximum, c.step)),
                 c.name_zh, c.name_en, c.guide_zh, c.guide_en]
                for c in self.new.criteria.all()
            ],
            "back": sorted(str(change.sheet.pk) for change in self.going_back),
            "lost": sorted(str(change.sheet.pk) for change in self.sheets if change.lost),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


def require_version(panel: Panel, new: Rubric) -> None:
    """Raise Refused unless ``new`` is a version of the panel's rubric."""
    if all(version.pk != new.pk for version in versions_of(panel.rubric)):
        raise Refused(
            gettext_lazy("“%(rubric)s” is no version of the panel's rubric."),
            code="not_a_version",
            params={"rubric": str(new)},
        )


def changes(panel: Panel, new: Rubric) -> Changes:
    """What would change, computed now; nothing is written. Raises Refused for a foreign rubric.

    As many queries for a thousand sheets as for one.
    """
    require_version(panel, new)
    sheets = list(
        Scoresheet.objects.filter(assignment__panel=panel)
        .select_related("assignment__judge", "assignment__participation__team")
        .prefetch_related("marks")
        .order_by(
            "assignment__participation__running_order",
            "assignment__participation__team__code",
            "assignment__judge__name",
            "pk",
        )
    )
    recused = set(
        Recusal.objects.filter(judge__event=new.event_id).values_list("judge_id", "team_id")
    )
    old_criteria, new_criteria = list(panel.rubric.criteria.all()), list(new.criteria.all())
    sheet_changes = [_sheet_change(sheet, old_criteria, new_criteria, recused) for sheet in sheets]
    return Changes(
        panel=panel,
        old=panel.rubric,
        new=new,
        criteria=_criterion_changes(old_criteria, new_criteria),
        sheets=sheet_changes,
        teams=_team_changes(sheet_changes),
    )


def _criterion_changes(old: Sequence[Criterion], new: Sequence[Criterion]) -> list[CriterionChange]:
    before = {criterion.code: criterion for criterion in old}
    after = {criterion.code for criterion in new}
    pairs = [CriterionChange(before.get(criterion.code), criterion) for criterion in new]
    return pairs + [CriterionChange(c, None) for c in old if c.code not in after]


def _sheet_change(
    sheet: Scoresheet, old: Sequence[Criterion], new: Sequence[Criterion], recused: set
) -> SheetChange:
    of_before = {criterion.pk: criterion for criterion in old}
    by_code = {criterion.code: criterion for criterion in new}
    marks = list(sheet.marks.all())
    carried, lost = [], []
    for mark in marks:
        # A mark of no criterion in force cannot be, and if it were, it would say nothing.
        was = of_before.get(mark.criterion_id)
        now = by_code.get(was.code) if was else None
        if now and now.asks_the_same_as(was) and now.lies_on_scale(mark.value):
            carried.append((mark, now))
        else:
            lost.append(mark)
    after = {now.pk: mark.value for mark, now in carried}
    # A bonus or penalty may be left alone, but it was not: its judge says what becomes of it.
    again = {of_before[mark.criterion_id].code for mark in lost if mark.criterion_id in of_before}
    lacking = [c for c in new if c.pk not in after and (c.is_required or c.code in again)]
    assignment = sheet.assignment
    return SheetChange(
        sheet=sheet,
        before=exact_total(old, {mark.criterion_id: mark.value for mark in marks}),
        after=exact_total(new, after),
        carried=tuple(carried),
        lost=tuple(lost),
        missing=tuple(lacking) if marks else (),
        counts=(assignment.judge_id, assignment.participation.team_id) not in recused,
    )


def _team_changes(sheets: Sequence[SheetChange]) -> list[TeamChange]:
    """In the order of the places after; teams that compete no longer have none."""
    by_team: dict[int, list[SheetChange]] = {}
    for change in sheets:
        participation = change.sheet.assignment.participation
        if participation.status == ParticipationStatus.ACTIVE:
            by_team.setdefault(participation.pk, []).append(change)
    before, after = {}, {}
    for pk, given in by_team.items():
        counted = [c for c in given if c.was_submitted and c.counts]
        before[pk] = [c.before for c in counted if c.before is not None]
        after[pk] = [c.after for c in counted if c.after is not None and not c.goes_back]
    mean_before = {pk: sum(totals) / len(totals) for pk, totals in before.items() if totals}
    mean_after = {pk: sum(totals) / len(totals) for pk, totals in after.items() if totals}
    places_before, places_after = _places(mean_before), _places(mean_after)
    moved = [
        TeamChange(
            participation=given[0].sheet.assignment.participation,
            before=mean_before.get(pk),
            after=mean_after.get(pk),
            place_before=places_before.get(pk),
            place_after=places_after.get(pk),
            sheets_before=len(before[pk]),
            sheets_after=len(after[pk]),
        )
        for pk, given in by_team.items()
    ]
    last = len(moved) + 1
    return sorted(moved, key=lambda m: (m.place_after or last, m.place_before or last))


def _places(means: dict[int, Fraction]) -> dict[int, int]:
    """1, 2, 2, 4."""
    return {pk: 1 + sum(other > mean for other in means.values()) for pk, mean in means.items()}


@transaction.atomic
def apply(panel: Panel, new: Rubric, by: User, reason: str, seen: str = "") -> Changes:
    """Put ``new`` in force: marks are carried over, sheets that lack one go back to their judges.

    ``seen`` is that of the changes which the person agreed to. Done twice, it changes nothing the
    second time. Raises Refused without a reason, once the round is decided, where ``new`` is no
    version of the panel's rubric, or where something else would happen than was seen.
    """
    if not reason.strip():
        raise Refused(gettext_lazy("Give a reason; it is kept in the log."), code="reason_required")
    panel, new = lock_panel(panel, new), Rubric.objects.get(pk=new.pk)
    panel.round.require_undecided()
    found = changes(panel, new)
    if panel.rubric_id == new.pk:
        return found
    if seen and seen != found.seen:
        raise Refused(
            gettext_lazy("What would change is not what you were shown. Look at it again."),
            code="changes_outdated",
        )
    old = panel.rubric
    panel.rubric = new
    panel.save(update_fields=["rubric"])
    LogEntry.write(panel, "rubric_in_force", by=by, before=str(old), after=str(new), reason=reason)
    _move_marks(found)
    record.tell_criteria(panel.round, new)
    record.append_all(panel.round, _entries(found, by, reason))
    for change in found.going_back:
        return_sheet(change.sheet, by, _why_back(change, reason))
    transaction.on_commit(lambda: ranking_inputs_changed.send(sender=Panel, round=panel.round))
    return found


def _move_marks(found: Changes) -> None:
    """The marks that are carried over point to their new criterion, the others are gone."""
    lost = [mark.pk for change in found.sheets for mark in change.lost]
    Mark.objects.filter(pk__in=lost).delete()
    carried: dict[int, list[int]] = {}
    for change in found.sheets:
        for mark, now in change.carried:
            carried.setdefault(now.pk, []).append(mark.pk)
    for criterion_id, marks in carried.items():
        Mark.objects.filter(pk__in=marks).update(criterion=criterion_id)


def _entries(found: Changes, by: User, reason: str):
    """What the record keeps: the version, then of each mark where it was taken and put."""
    yield {
        "kind": RecordEntry.Kind.RUBRIC,
        "text": f"{found.panel}: {found.old.name} {found.old.version} → "
        f"{found.new.name} {found.new.version}",
        "by": by,
        "reason": reason,
    }
    for change in found.sheets:
        assignment = change.sheet.assignment
        mark_of_sheet = {
            "kind": RecordEntry.Kind.MARK,
            "judge": assignment.judge,
            "participation": assignment.participation,
            "scoresheet": change.sheet,
            "by": by,
            "reason": reason,
        }
        for mark, now in [*change.carried, *((mark, None) for mark in change.lost)]:
            yield {
                **mark_of_sheet,
                "criterion_id": mark.criterion_id,
                "value": None,
                "previous": mark.value,
            }
            if now is not None:
                yield {**mark_of_sheet, "criterion": now, "value": mark.value}


def _why_back(change: SheetChange, reason: str) -> str:
    told = []
    for language in LANGUAGES:
        with translation.override(language):
            names = ", ".join(criterion.name for criterion in change.missing)
            told.append(
                _("The rubric has a new version. Please mark: %(names)s.") % {"names": names}
            )
    return f"{' / '.join(told)} ({reason})"
