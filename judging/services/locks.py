"""The order in which rows are locked, so that no two writers wait for each other.

Round → Rubric → Panel → Tie → Assignment → Scoresheet → Criterion → Record. Whoever needs several
takes them in this order and leaves out what it does not need; rows of one kind by their ids. Record
comes last: see ``record.append``.
"""

from contest.models import Round
from judging.models import Panel, Rubric, Scoresheet


def lock_round(round_id: int) -> Round:
    """The round, which keeps its status until the transaction ends; marks go on meanwhile."""
    Round.objects.select_for_update(of=("self",), no_key=True).get(pk=round_id)
    return Round.objects.select_related("event").get(pk=round_id)


def lock_panel(panel: Panel, rubric: Rubric | None = None) -> Panel:
    """The panel as it is now, and everything that its marks hang on, until the transaction ends.

    With its assignments locked no sheet comes to the panel meanwhile, and with its sheets no mark.
    ``rubric`` is one that the panel is to have.
    """
    Round.objects.select_for_update(of=("self",), no_key=True).get(pk=panel.round_id)
    if rubric is not None:
        Rubric.objects.select_for_update(of=("self",)).get(pk=rubric.pk)
    Panel.objects.select_for_update(of=("self",)).get(pk=panel.pk)
    for rows in (panel.assignments, Scoresheet.objects.filter(assignment__panel=panel)):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    return Panel.objects.select_related("round__event", "rubric", "chair").get(pk=panel.pk)
