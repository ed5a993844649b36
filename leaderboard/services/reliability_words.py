"""What the numbers of a reliability report mean, in plain words.

Where the literature draws its lines: for the ICC Koo and Li (2016), for Kendall's W Schmidt (1997),
for alpha Krippendorff (2004). See docs/methods.md.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from leaderboard.ranking import Note
from leaderboard.ranking.reliability import Alpha, Icc, Kendall, RankInterval
from leaderboard.services.reliability import Report

# In this share of draws or more a team is sure of its place in the top, in so few sure to miss it.
SURE, LOST = 0.95, 0.05
# A judge this many points from the others is worth a word.
STRICT = 5


@dataclass(frozen=True)
class Finding:
    """One sentence, and how good the news is: ``good``, ``fair`` or ``poor``."""

    level: str
    text: str


def is_sure(row: RankInterval) -> bool:
    return row.in_top >= SURE


def is_open(row: RankInterval) -> bool:
    return LOST < row.in_top < SURE


def findings(report: Report) -> list[Finding]:
    """The report in sentences, the most telling first."""
    found = [_of_the_top(report), _of_icc(report.icc), _of_single(report.icc)]
    found += [_of_kendall(report.kendall), _of_alpha(report.alpha)]
    found += [_of_judges(report), _of_methods(report), _of_leaving_out(report)]
    return [finding for finding in found if finding is not None]


def _of_the_top(report: Report) -> Finding:
    rows = report.intervals.intervals
    sure = sum(map(is_sure, rows))
    open_ = sum(map(is_open, rows))
    told = {"top": report.top, "sure": sure, "open": open_}
    if not open_:
        return Finding(
            "good", _("Who is in the first %(top)s does not hang on single sheets.") % told
        )
    text = _(
        "%(sure)s teams are sure of a place in the first %(top)s; %(open)s teams could be in or "
        "out, had other judges scored them."
    )
    level = "fair" if sure + open_ <= report.top + 3 else "poor"
    return Finding(level, text % told)


def _form(icc: Icc, single: bool):
    """ICC(2,·) where the judges are the same for all, ICC(1,·) where panels differ."""
    case = "ICC(1," if icc.reason == "one_way_only" else "ICC(2,"
    names = [form for form in icc.forms if form.name.startswith(case)]
    return next((f for f in names if f.name.endswith(",1)") == single), None)


def _of_icc(icc: Icc) -> Finding | None:
    form = _form(icc, single=False)
    if form is None:
        return Finding("poor", _("There are too few sheets in common to say how far judges agree."))
    if _form(icc, single=True).value <= 0:
        # The mean of such sheets has no reliability: the formula for it leaves 0 to 1.
        return Finding(
            "poor",
            _("The judges do not agree: what one of them puts high, another puts low. Other judges "
              "could come to any means."),
        )  # fmt: skip
    told = {"judges": icc.judges, **_interval(form)}
    if form.value >= 0.9:
        level, text = "good", _(
            "Other judges of the same kind would come to nearly the same means: the reliability of "
            "the mean of %(judges)s judges is excellent, %(value)s (%(low)s to %(high)s)."
        )  # fmt: skip
    elif form.value >= 0.75:
        level, text = "good", _(
            "Other judges of the same kind would come to much the same means: the reliability of "
            "the mean of %(judges)s judges is good, %(value)s (%(low)s to %(high)s)."
        )  # fmt: skip
    elif form.value >= 0.5:
        level, text = "fair", _(
            "Other judges of the same kind would come to somewhat different means: the reliability "
            "of the mean of %(judges)s judges is moderate, %(value)s (%(low)s to %(high)s)."
        )  # fmt: skip
    else:
        level, text = "poor", _(
            "Other judges of the same kind could come to quite different means: the reliability of "
            "the mean of %(judges)s judges is poor, %(value)s (%(low)s to %(high)s)."
        )  # fmt: skip
    return Finding(level, text % told)


def _of_single(icc: Icc) -> Finding | None:
    form = _form(icc, single=True)
    if form is None:
        return None
    level = "good" if form.value >= 0.75 else "fair" if form.value >= 0.5 else "poor"
    text = _(
        "The sheet of a single judge says less: its reliability is %(value)s (%(low)s to %(high)s)."
    )
    return Finding(level, text % _interval(form))


def _of_kendall(kendall: Kendall) -> Finding | None:
    if kendall.w is None:
        return None
    told = {"w": f"{kendall.w:.2f}"}
    if kendall.w >= 0.7:
        return Finding(
            "good", _("The judges put the teams in nearly the same order (W = %(w)s).") % told
        )
    if kendall.w >= 0.5:
        return Finding("fair", _("The judges put the teams in a similar order (W = %(w)s).") % told)
    return Finding(
        "poor", _("The judges put the teams in rather different orders (W = %(w)s).") % told
    )


def _of_alpha(alpha: Alpha) -> Finding | None:
    if alpha.value is None:
        return None
    told = {"alpha": f"{alpha.value:.2f}"}
    if alpha.value >= 0.8:
        return Finding("good", _("Their points agree well, too (α = %(alpha)s).") % told)
    if alpha.value >= 0.667:
        return Finding(
            "fair",
            _("Their points agree well enough for tentative conclusions (α = %(alpha)s).") % told,
        )
    return Finding(
        "poor",
        _(
            "Their points agree little: some are stricter than others, or see other things "
            "(α = %(alpha)s)."
        )
        % told,
    )


def _of_judges(report: Report) -> Finding | None:
    rows = sorted(report.judges, key=lambda row: row.severity)
    if len(rows) < 2:
        return None
    told = {
        "strict": report.judge_names[rows[-1].judge],
        "by": f"{rows[-1].severity:.1f}",
        "lenient": report.judge_names[rows[0].judge],
        "less": f"{-rows[0].severity:.1f}",
    }
    if rows[-1].severity < STRICT and rows[0].severity > -STRICT:
        return Finding("good", _("No judge is much stricter or more lenient than the others."))
    text = _(
        "%(strict)s is the strictest (%(by)s points below the others), %(lenient)s the most "
        "lenient (%(less)s above). Where all judges score all teams, that changes no rank by the "
        "mean."
    )
    return Finding("fair", text % told)


def _of_methods(report: Report) -> Finding:
    other = [shift for _method, shift in report.others if shift.entering or shift.leaving]
    told = {"top": report.top, "other": len(other), "all": len(report.others)}
    if not other:
        return Finding(
            "good",
            _("Under all other usual methods the same teams would be in the first %(top)s.") % told,
        )
    text = _(
        "Under %(other)s of %(all)s other usual methods other teams would be in the first %(top)s."
    )
    return Finding("fair", text % told)


def _of_leaving_out(report: Report) -> Finding | None:
    if not report.without:
        return None
    moving = [judge for judge, shift in report.without.items() if shift.entering or shift.leaving]
    if not moving:
        return Finding(
            "good",
            _("Without any one judge the same teams would be in the first %(top)s.")
            % {"top": report.top},
        )
    names = ", ".join(report.judge_names[judge] for judge in moving[:5])
    text = _(
        "Without the sheets of any one of these judges the first %(top)s would change: %(names)s."
    )
    return Finding("fair", text % {"top": report.top, "names": names})


def _interval(form) -> dict[str, str]:
    return {name: f"{getattr(form, name):.2f}" for name in ("value", "low", "high")}


def note_text(note: Note, report: Report) -> str:
    """A note of the method in words."""
    told = {
        "judges": ", ".join(report.judge_names.get(judge, "–") for judge in note.judges),
        "teams": ", ".join(report.teams[team].team.code for team in note.teams),
    }
    return {
        "nothing_trimmed": _("Too few sheets to drop any: %(teams)s."),
        "trimmed_less": _("Too few sheets to drop all that the method says: %(teams)s."),
        "single_sheet_judge": _(
            "Scored one team alone, which tells nothing of how strict they are: %(judges)s."
        ),
        "flat_judge": _("Gave every team the same, which parts nobody: %(judges)s."),
        "disconnected": _(
            "These teams have no judge in common with the others, not even through others, so the "
            "two cannot be compared: %(teams)s."
        ),
        "clamped": _("The score would lie outside of 0 to 100 and ends there: %(teams)s."),
        "not_converged": _("The model did not come to a stable result; take another method."),
    }[note.code] % told
