"""What the judges' sheets of a round amount to, sheet by sheet."""

from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from contest.models import Round
from judging.models import Criterion, Judge, Mark, Panel, Recusal, Scoresheet
from judging.services.totals import exact_parts, is_veto, kept_within, shares
from judging.states import ScoresheetStatus


@dataclass(frozen=True)
class SheetTotal:
    """One submitted sheet. ``counted`` is False, and ``why_not`` says why, where it is out."""

    sheet_id: UUID
    participation_id: int
    judge_id: int
    judge_name: str
    organisation_zh: str
    organisation_en: str
    total: Fraction  # 0–100
    parts: dict[str, Fraction]  # points of each criterion, by its code; see exact_parts
    shares: dict[str, Fraction]  # 0–100, of each scored criterion by its code, in their order
    veto: bool  # the judge says that the team does not meet a condition
    veto_rule: str  # of the rubric, see Rubric.VetoRule
    counted: bool
    why_not: str = ""

    @property
    def first_criterion(self) -> Fraction:
        """0–100, of the rubric's first scored criterion."""
        return next(iter(self.shares.values()))


def inputs_of(round: Round) -> tuple[dict, dict[int, list[Criterion]], set[tuple[int, int]]]:
    """What all sheets of the round are read with, in three queries.

    Marks ``{sheet: {criterion: value}}``, criteria by rubric, and the conflicts of interest as
    pairs of judge and team.
    """
    marks: dict = {}
    for sheet_id, criterion_id, value in Mark.objects.filter(
        scoresheet__assignment__participation__round=round
    ).values_list("scoresheet_id", "criterion_id", "value"):
        marks.setdefault(sheet_id, {})[criterion_id] = value
    criteria: dict[int, list[Criterion]] = {}
    for criterion in Criterion.objects.filter(rubric__panels__round=round).distinct():
        criteria.setdefault(criterion.rubric_id, []).append(criterion)
    recused = set(
        Recusal.objects.filter(judge__event=round.event_id).values_list("judge_id", "team_id")
    )
    return marks, criteria, recused


def sheet_totals(round: Round) -> list[SheetTotal]:
    """Every submitted sheet of the round, in the order of participation and judge.

    Six queries, whatever the number of teams and judges. Judges and panels are few and sheets are
    many, so that no object is made for a sheet.
    """
    sheets = (
        Scoresheet.objects.filter(
            assignment__participation__round=round, status=ScoresheetStatus.SUBMITTED
        )
        .order_by("assignment__participation_id", "assignment__judge_id")
        .values_list(
            "pk",
            "assignment__participation_id",
            "assignment__participation__team_id",
            "assignment__judge_id",
            "assignment__panel_id",
        )
    )
    judges = Judge.objects.filter(event=round.event_id).in_bulk()
    panels = Panel.objects.filter(round=round).select_related("rubric").in_bulk()
    marks, criteria, recused = inputs_of(round)
    totals = []
    for sheet_id, participation_id, team_id, judge_id, panel_id in sheets:
        judge, rubric = judges[judge_id], panels[panel_id].rubric
        mine = criteria[rubric.pk]
        given = marks.get(sheet_id, {})
        out = (judge_id, team_id) in recused
        parts = exact_parts(mine, given)
        if parts is None:  # cannot be submitted so; a sheet like that must not pass for a zero
            continue
        totals.append(
            SheetTotal(
                sheet_id=sheet_id,
                participation_id=participation_id,
                judge_id=judge_id,
                judge_name=judge.name,
                organisation_zh=judge.organisation_zh,
                organisation_en=judge.organisation_en,
                total=kept_within(sum(parts.values(), Fraction(0))),
                parts=parts,
                shares=shares(mine, given),
                veto=is_veto(mine, given),
                veto_rule=rubric.veto_rule,
                counted=not out,
                why_not="recused" if out else "",
            )
        )
    return totals
