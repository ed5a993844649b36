"""What the columns of the exported tables mean, in both languages. Their names stay the same."""

from collections.abc import Iterable, Iterator, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

COLUMNS = ("table", "column", "meaning_en", "meaning_zh")

MEANINGS: dict[str, Promise] = {
    # Teams.
    "rank": _("Rank; equals share one. Empty: not ranked"),
    "team_code": _("The team’s code in the event"),
    "team_name_zh": _("The team’s name in Chinese"),
    "team_name_en": _("The team’s name in English"),
    "project_zh": _("The project’s title in Chinese"),
    "project_en": _("The project’s title in English"),
    "organisation_zh": _("The organisation’s name in Chinese"),
    "organisation_en": _("The organisation’s name in English"),
    "country": _("Country or region, ISO 3166-1"),
    "country_name": _("Country or region, by name"),
    "track": _("The track’s name"),
    "awards": _("Prizes won in this round"),
    "total": _("Weighted mean of the components, 0 to 100"),
    "status": _("active, baseline (of the organizers, without a rank), withdrawn or disqualified"),
    "lacks": _("Why a team has no rank"),
    "conditions_unmet": _("How many of the scheme’s conditions the team does not meet"),
    "below_minimum": _("How many minimums it does not come to; of a component 1: its own"),
    "ranked_total": _("The total as it is ranked; empty: not ranked"),
    "tie_breaks": _("Tie-breaks that were asked, in their order"),
    "tie_break_1": _(
        "What the first tie-break compares, better the higher it is; of the earlier submission, "
        "seconds before the ranking was made"
    ),
    "tie_break_2": _("What the second tie-break compares"),
    "tie_break_3": _("What the third tie-break compares"),
    "tie_break_4": _("What the fourth tie-break compares"),
    "tie_break_5": _("What the fifth tie-break compares"),
    "tie_break_6": _("What the sixth tie-break compares"),
    "tie_break_7": _("What the seventh tie-break compares"),
    "tie_break_8": _("What the eighth tie-break compares"),
    "advances": _("in: advances; out: does not; tied: waits for a decision"),
    "stated_rank": _(
        "The rank by the platform’s ranking; once the round is decided, the signed one"
    ),
    "stated_total": _("The total by the platform"),
    "check_rank": _("OK, or how far the two ranks lie apart"),
    "check_total": _("OK, or how far the two totals lie apart"),
    # Components.
    "component": _("Part of the total: its kind and the number of the round it comes from"),
    "kind": _(
        "judges or metric; of a criterion scored, bonus, penalty, veto, or absent from the rubric "
        "of this sheet"
    ),
    "round": _("The round that the component comes from"),
    "weight": _("Weight; only proportions count"),
    "aggregation": _("How sheets are combined; docs/methods.md has the formulas"),
    "trim": _("Sheets to be dropped at each end, where the mean is trimmed"),
    "per": _("total or criterion: what the median or trimmed mean is taken of"),
    "sheets_counted": _("Sheets that count, dropped ones among them"),
    "dropped_each_end": _("Sheets, or marks of a criterion, dropped at each end"),
    "vetoes": _("Counted sheets that say a condition is not met"),
    "vetoed": _("1: the judges exclude the team"),
    "score": _("The component’s score, 0 to 100"),
    "points": _("Points that it adds to the whole"),
    "metric": _("The metric"),
    "raw": _("The metric’s value"),
    "worst": _("The metric’s value that gives 0"),
    "best": _("The metric’s value that gives 100"),
    "scaling": _("bounds, rank or zscore: how the metric becomes a score"),
    "metric_mean": _("Mean of the teams’ values, where it is scaled by z-scores"),
    "metric_deviation": _("Standard deviation of the teams’ values"),
    "teams_beaten": _("Other teams with a worse value, equals by half; where it is scaled by rank"),
    "other_teams": _("How many other teams there are"),
    "minimum": _("The lowest score with a rank"),
    "submission": _("The submission that counts"),
    "received_at": _("When it was received, UTC"),
    "stated_score": _("The score by the platform"),
    "check_score": _("OK, or how far the two scores lie apart"),
    "basis": _(
        "marks, metric: computed from them; counts_as: from what the platform says each sheet "
        "counts as, since that hangs on all sheets of the judge; stated: the platform’s number"
    ),
    # Sheets.
    "sheet": _("The sheet’s id; empty: never opened"),
    "judge": _("The judge"),
    "state": _(
        "counted, highest or lowest (dropped), recused, returned, released, not_submitted, left"
    ),
    "reason": _("The same in words"),
    "counts": _("1: the sheet counts, though it may be dropped; 0: it does not"),
    "in_mean": _("1: the score is made of it"),
    "veto": _("1: the judge says that a condition is not met"),
    "veto_rule": _("any or majority: whose veto excludes the team"),
    "submitted_at": _("When it was submitted, UTC"),
    "sheet_points": _("Sum of the marks’ points"),
    "sheet_total": _("The same, kept within 0 and 100"),
    "counts_as": _("What the sheet counts as, where judges are compared; else its total"),
    "stated_sheet_total": _("The sheet’s total by the platform"),
    "check_sheet": _("OK, or how far the two totals of the sheet lie apart"),
    # Marks.
    "criterion": _("The criterion’s code, the same in every version of the rubric"),
    "criterion_zh": _("The criterion in Chinese"),
    "criterion_en": _("The criterion in English"),
    "lowest": _("The lowest mark of the scale"),
    "highest": _("The highest mark of the scale"),
    "mark": _("The mark; empty: none. Of a condition 1 means met, 0 not met"),
    "mark_points": _("Points that the mark brings into the sheet’s total"),
    "counted_points": _("The same, where the sheet counts"),
    "dropped": _("1: left out of this criterion’s mean, as one of the extremes"),
    "changes": _("How often the mark was set or changed; the judging record has each"),
    "last_changed_at": _("When it was set last, UTC"),
    "criterion_score": _("Median or trimmed mean of the criterion’s points"),
    # Matrix of judges.
    "judge_state": _("What became of this judge’s sheet"),
    # Reliability.
    "rank_by_judges": _("Rank by the judges’ score alone"),
    "rank_low": _("Best rank of the 95 % interval"),
    "rank_high": _("Worst rank of the 95 % interval"),
    "in_top": _("How probable it is that the team belongs to the top, 0 to 1"),
    "sheets": _("Sheets that count"),
    "mean": _("Mean of the judge’s totals"),
    "spread": _("Standard deviation of the judge’s totals"),
    "lowest_total": _("The judge’s lowest total"),
    "highest_total": _("The judge’s highest total"),
    "severity": _("Points stricter than the judges of the same group, by the additive model"),
    "group": _("Judges of different groups cannot be compared: nothing links them"),
    "agreement": _("Correlation with the mean of the other judges of the same teams"),
    "without_entering": _("Teams that would be in the top without this judge"),
    "without_leaving": _("Teams that would not be in the top without this judge"),
    "without_moved": _("How many teams would have another rank without this judge"),
    "method": _("Method, in words"),
    "entering": _("Teams that would be in the top"),
    "leaving": _("Teams that would no longer be in the top"),
    "moved": _("How many teams would have another rank"),
    "furthest": _("The greatest number of places that a team moves"),
    "level": _("good, fair or poor"),
    "text": _("In plain words"),
    "coefficient": _("The coefficient; docs/methods.md has the formulas"),
    "value": _("Its value"),
    "low": _("Lower end of the 95 % interval"),
    "high": _("Upper end of the 95 % interval"),
    "df": _("Degrees of freedom"),
    "p": _("Probability of such a value if the judges did not agree at all"),
    "judges": _("Judges looked at"),
    "teams": _("Teams looked at"),
    "left_out": _("Sheets left out, so that the table is complete"),
}


def both(text: Promise) -> tuple[str, str]:
    """A text of ours in English and in Chinese."""
    with override("en"):
        english = str(text)
    with override("zh-hans"):
        return english, str(text)


def explained(
    tables: Mapping[str, Iterable[str]], more: Mapping[str, tuple[str, str]] | None = None
) -> Iterator[dict]:
    """A row for every column of the tables; ``more`` has those named after something."""
    for table, columns in tables.items():
        for name in columns:
            known = more[name] if more and name in more else both(MEANINGS[name])
            yield dict(zip(COLUMNS, (table, name, *known), strict=True))
