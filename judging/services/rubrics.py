"""Rubrics: built whole; once marks were given by one, a change makes a copy or a new version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest.errors import Refused
from contest.models import Event, LogEntry, User
from contest.numbers import plain
from judging.models import Criterion, Rubric
from judging.models.rubric import new_code

Kind = Criterion.Kind
WHOLE = Decimal(100)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one criterion: its place in the list from 0, the field, the words."""

    place: int
    field: str  # empty where it is the criterion as a whole
    message: str

    def __str__(self) -> str:
        told = {"n": self.place + 1, "message": self.message}
        if not self.field:
            return _("Criterion %(n)s: %(message)s") % told
        label = Criterion._meta.get_field(self.field).verbose_name
        return _("Criterion %(n)s, %(field)s: %(message)s") % {**told, "field": label}


class BadCriteria(ValidationError):
    """Criteria that cannot be saved; ``problems`` say which and where, for a form."""

    def __init__(self, problems: list[Problem]):
        super().__init__([str(problem) for problem in problems], code="bad_criteria")
        self.problems = problems


@transaction.atomic
def save_rubric(
    event: Event, by: User, rubric: Rubric | None = None, *, fields: Mapping, criteria: list[dict]
) -> Rubric:
    """Make a rubric, or change one that nobody marked by yet.

    ``fields``: name_zh, name_en, veto_rule. ``criteria`` are all of them, in order, each with the
    fields of Criterion; ``code`` says which criterion of before it is, and without one it is new.
    Raises Refused when marks were given by the rubric, BadCriteria where a criterion is wrong,
    ValidationError for the whole.
    """
    kept: dict[str, Criterion] = {}
    if rubric is not None:
        rubric = Rubric.objects.select_for_update().get(pk=rubric.pk)
        # Whoever gives a mark holds its criterion, see save_mark: now they wait for us.
        kept = {c.code: c for c in rubric.criteria.select_for_update().order_by("pk")}
        if rubric.is_in_use():
            raise Refused(
                gettext_lazy(
                    "Marks were given by this rubric, so it stays. Make a new version or a copy."
                ),
                code="rubric_in_use",
            )
    else:
        rubric = Rubric(event=event)
    for name, value in fields.items():
        setattr(rubric, name, value)
    rubric.full_clean()
    if not criteria:
        raise ValidationError(_("A rubric needs at least one criterion."))
    rubric.save()
    wanted = _criteria(rubric, kept, criteria)
    _validate(wanted)
    rubric.criteria.exclude(pk__in=[c.pk for c in wanted if c.pk]).delete()
    for criterion in wanted:
        criterion.save()
    LogEntry.write(rubric, "rubric_saved", by=by, after=f"{len(criteria)}")
    return rubric


def _criteria(rubric: Rubric, kept: dict[str, Criterion], rows: list[dict]) -> list[Criterion]:
    """The criteria as they are to be; each code once, and none that the rubric did not have.

    What a row says nothing of stays as it was.
    """
    of_before = set(
        rubric.previous.criteria.values_list("code", flat=True) if rubric.previous else ()
    )
    taken: set[str] = set()
    made = []
    for ordinal, row in enumerate(rows, start=1):
        row = dict(row)
        code = row.pop("code", "") or ""
        if code in taken or (code not in kept and code not in of_before):
            code = new_code()
        taken.add(code)
        criterion = kept.get(code) or Criterion(rubric=rubric, code=code)
        for name, value in row.items():
            setattr(criterion, name, value)
        criterion.ordinal = ordinal
        _settle(criterion)
        made.append(criterion)
    return made


def _settle(criterion: Criterion) -> None:
    """Only scored criteria have a weight, and only they choose where their scale begins."""
    if criterion.kind != Kind.SCORED:
        criterion.weight = criterion.minimum = Decimal(0)
    if criterion.kind == Kind.VETO:
        criterion.maximum = criterion.step = Decimal(1)


def _validate(criteria: list[Criterion]) -> None:
    """Raise BadCriteria or ValidationError unless these make a rubric."""
    problems = []
    for place, criterion in enumerate(criteria):
        try:
            criterion.full_clean()
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                name = "" if field == NON_FIELD_ERRORS else field
                problems += [Problem(place, name, message) for message in messages]
    if problems:
        raise BadCriteria(problems)
    weights = [criterion.weight for criterion in criteria if criterion.kind == Kind.SCORED]
    if not weights:
        raise ValidationError(
            _("A rubric needs at least one scored criterion."), code="nothing_scored"
        )
    if (total := sum(weights)) != WHOLE:
        told = {"sum": plain(total), "off": plain(abs(WHOLE - total))}
        raise ValidationError(
            _("The weights add up to %(sum)s: %(off)s short of 100.")
            if total < WHOLE
            else _("The weights add up to %(sum)s: %(off)s more than 100."),
            code="weights_off",
            params=told,
        )


def _take_criteria(source: Rubric, target: Rubric, *, codes: bool) -> None:
    """Give ``target`` the criteria of ``source``; with ``codes`` they stay the same ones."""
    for criterion in source.criteria.all():
        criterion.pk, criterion.rubric, criterion._state.adding = None, target, True
        if not codes:
            criterion.code = new_code()
        criterion.save()


@transaction.atomic
def copy_rubric(rubric: Rubric, by: User) -> Rubric:
    """The same criteria under a new rubric, which has nothing to do with the old one."""
    copy = Rubric.objects.create(
        event=rubric.event,
        name_zh=f"{rubric.name_zh}（副本）" if rubric.name_zh else "",
        name_en=f"{rubric.name_en} (copy)" if rubric.name_en else "",
        veto_rule=rubric.veto_rule,
    )
    _take_criteria(rubric, copy, codes=False)
    LogEntry.write(copy, "rubric_copied", by=by, before=str(rubric.pk))
    return copy


# --- Versions --------------------------------------------------------------------------------


def families(rubrics: Iterable[Rubric]) -> list[list[Rubric]]:
    """The rubrics, versions of the same one together, newest first; in the order of the first."""
    rubrics = list(rubrics)
    before = {rubric.pk: rubric.previous_id for rubric in rubrics}
    found: dict[int, list[Rubric]] = {}
    for rubric in sorted(rubrics, key=lambda r: (r.created_at, r.pk)):
        first = rubric.pk
        while before.get(first):
            first = before[first]
        found.setdefault(first, []).append(rubric)
    return [sorted(family, key=lambda r: -r.version) for family in found.values()]


def versions_of(rubric: Rubric) -> list[Rubric]:
    """Every version of the rubric, itself among them, newest first; one query."""
    everything = families(Rubric.objects.filter(event=rubric.event_id))
    return next(family for family in everything if any(r.pk == rubric.pk for r in family))


@transaction.atomic
def new_version(rubric: Rubric, by: User) -> Rubric:
    """A version after this one, which can be changed; the criteria keep their codes.

    Asked again while nobody uses that version, it is the same one. Raises Refused where no mark
    was given by the rubric: it can be changed itself.
    """
    family = versions_of(rubric)
    # One at a time makes versions of a rubric, so that no number is given twice.
    Rubric.objects.select_for_update().get(pk=family[-1].pk)
    family = versions_of(rubric)
    if not rubric.is_in_use():
        raise Refused(
            gettext_lazy("No marks were given by this rubric. Change it as it is."),
            code="rubric_not_in_use",
        )
    for version in family:
        if version.previous_id == rubric.pk and not (
            version.panels.exists() or version.is_in_use()
        ):
            return version
    version = Rubric.objects.create(
        event=rubric.event,
        name_zh=rubric.name_zh,
        name_en=rubric.name_en,
        veto_rule=rubric.veto_rule,
        version=family[0].version + 1,
        previous=rubric,
    )
    _take_criteria(rubric, version, codes=True)
    LogEntry.write(version, "rubric_versioned", by=by, before=str(rubric), after=str(version))
    return version
