"""What a scheme says, in words, for whoever organizes, judges, competes or watches."""

from django.utils.translation import gettext as _

from leaderboard.models import Scheme
from leaderboard.models.scheme import tie_break_label
from leaderboard.services.schemes import Rules, criteria_names, short


def of(rules: Rules) -> dict:
    """What templates/leaderboard/_scheme_words.html shows."""
    names = criteria_names(rules.scheme.round)
    return {
        "components": rules.components,
        "tie_breaks": [tie_break_label(name, names) for name in rules.scheme.tie_breaks],
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
            _("Whoever has a total of less than %(least)s has no rank.")
            % {"least": short(scheme.minimum_total)}
        )
    said += [
        _("Whoever has less than %(least)s for “%(component)s” has no rank.")
        % {"least": short(component.minimum), "component": component}
        for component in components
        if component.minimum is not None
    ]
    if scheme.conditions:
        named = [str(Scheme.Condition(name).label) for name in scheme.conditions]
        said.append(
            _("Only teams have a rank of which: %(conditions)s.") % {"conditions": ", ".join(named)}
        )
    if Scheme.TieBreak.DRAW in scheme.tie_breaks and scheme.seed:
        said.append(_("The draw has the seed “%(seed)s”.") % {"seed": scheme.seed})
    return said
