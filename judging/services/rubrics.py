"""Rubrics: built whole, copied once marks were given by them."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contest.errors import Refused
from contest.models import Event, LogEntry, User
from judging.models import Criterion, Rubric


@transaction.atomic
def save_rubric(
    event: Event, by: User, rubric: Rubric | None = None, *, names: dict, criteria: list[dict]
) -> Rubric:
    """Make a rubric, or replace an unused one's names and criteria.

    ``criteria`` come in order, each with the fields of Criterion. Raises Refused when marks were
    given by the rubric, ValidationError that names the criterion and field.
    """
    if rubric is not None:
        rubric = Rubric.objects.select_for_update().get(pk=rubric.pk)
        if rubric.is_in_use():
            raise Refused(
                gettext_lazy(
                    "Marks were given by this rubric, so it stays. Copy it and change the copy."
                ),
                code="rubric_in_use",
            )
    else:
        rubric = Rubric(event=event)
    for name, value in names.items():
        setattr(rubric, name, value)
    rubric.full_clean()
    if not criteria:
        raise ValidationError(_("A rubric needs at least one criterion."))
    rubric.save()
    rubric.criteria.all().delete()
    errors = []
    for ordinal, fields in enumerate(criteria, start=1):
        criterion = Criterion(rubric=rubric, ordinal=ordinal, **fields)
        try:
            criterion.full_clean()
            criterion.save()
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                errors += [_told(ordinal, field, message) for message in messages]
    if errors:
        raise ValidationError(errors)
    LogEntry.write(rubric, "rubric_saved", by=by, after=f"{len(criteria)}")
    return rubric


def _told(ordinal: int, field: str, message: str) -> str:
    if field == NON_FIELD_ERRORS:
        return _("Criterion %(n)s: %(message)s") % {"n": ordinal, "message": message}
    label = Criterion._meta.get_field(field).verbose_name
    return _("Criterion %(n)s, %(field)s: %(message)s") % {
        "n": ordinal,
        "field": label,
        "message": message,
    }


@transaction.atomic
def copy_rubric(rubric: Rubric, by: User) -> Rubric:
    """The same criteria under a new rubric that can be changed."""
    copy = Rubric.objects.create(
        event=rubric.event,
        name_zh=f"{rubric.name_zh}（副本）" if rubric.name_zh else "",
        name_en=f"{rubric.name_en} (copy)" if rubric.name_en else "",
    )
    for criterion in rubric.criteria.all():
        criterion.pk, criterion.rubric, criterion._state.adding = None, copy, True
        criterion.save()
    LogEntry.write(copy, "rubric_copied", by=by, before=str(rubric.pk))
    return copy
