"""What a scheme says, in words, for whoever organizes, judges, competes or watches."""

from django.utils.translation import gettext as _

from contest.numbers import plain
from leaderboard.models import Scheme
from leaderboard.models.scheme import criterion_of, tie_break_label
from leaderboard.services.schemes import Rules, criteria_names, judged_sources


def of(rules: Rules) -> dict:
    """What templates/leaderboard/_scheme_words.html shows."""
    asked = rules.scheme.tie_breaks
    names = {}
    if any(criterion_of(name) for name in asked):
        names = criteria_names(judged_sources(rules.components))
    return {
        "components": rules.components,
        "tie_breaks": [tie_break_label(name, names) for name in asked],
        "terms": _terms(rules.scheme, rules.components),
    }


def _terms(scheme: Scheme, components) -> list[str]:
    """What is asked beyond weights and tie-breaks."""
    said = []
    if scheme.rounding != Scheme.Rounding.NONE:
        said.append(
            _("Rounded half up to %(decimals)s decimals before anything is compared: %(what)s.")
            % {"decimals": scheme.decimals, "what": scheme.get_rounding_display()}
        )
    if scheme.minimum_total is not None:
        said.append(
            _("A team with a total of less than %(least)s is not ranked.")
            % {"least": plain(scheme.minimum_total)}
        )
    said += [
        _("A team with less than %(least)s for “%(component)s” is not ranked.")
        % {"least": plain(component.minimum), "component": component}
        for component in components
        if component.minimum is not None
    ]
    if scheme.conditions:
        named = [str(Scheme.Condition(name).label) for name in scheme.conditions]
        said.append(
            _("A team is ranked only if: %(conditions)s.") % {"conditions": ", ".join(named)}
        )
    if Scheme.TieBreak.DRAW in scheme.tie_breaks and scheme.seed:
        said.append(_("The draw has the seed “%(seed)s”.") % {"seed": scheme.seed})
    return said
