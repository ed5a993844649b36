"""The rules of a round as its standings hold them, and what they ask of scores."""

from fractions import Fraction

from contest.numbers import plain
from judging.services.totals import fraction_to_decimal
from leaderboard.models import Scheme, SchemeComponent
from leaderboard.ranking import Terms
from leaderboard.services.schemes import bounds_of


def component_name(component: SchemeComponent) -> str:
    metric = f"-{component.metric}" if component.metric else ""
    return f"{component.kind}-{component.source_id}{metric}"


def method_of_rules(scheme: Scheme, components: list[SchemeComponent]) -> dict:
    """The rules as a standing holds them. What a rule book rarely has is there only where it has
    it, so that standings of rules without it are what they were before there was such a rule."""
    rare = {
        "rounding": scheme.rounding if scheme.rounding != Scheme.Rounding.NONE else None,
        "decimals": scheme.decimals if scheme.rounding != Scheme.Rounding.NONE else None,
        "minimum_total": _least(scheme.minimum_total),
        "conditions": list(scheme.conditions) or None,
        "seed": scheme.seed if Scheme.TieBreak.DRAW in scheme.tie_breaks else None,
    }
    return {
        "advance_count": scheme.advance_count,
        "tie_breaks": scheme.tie_breaks,
        **only_said(rare),
        "components": [
            {
                "name": component_name(component),
                "kind": component.kind,
                "source": component.source.slug,
                "source_zh": component.source.name_zh,
                "source_en": component.source.name_en,
                "weight": str(component.weight),
                **_how(component),
                **only_said({"minimum": _least(component.minimum)}),
            }
            for component in components
        ],
    }


def _how(component: SchemeComponent) -> dict:
    """How a component's score is made, as standings hold it."""
    if component.kind == SchemeComponent.Kind.JUDGES:
        return as_method(component)
    if component.scaling != SchemeComponent.Scaling.BOUNDS:
        return {"scaling": component.scaling}
    return dict(zip(("worst", "best"), bounds_of(component), strict=True))


def as_method(component: SchemeComponent) -> dict:
    """How a component combines sheets, as standings hold it."""
    method = component.method
    return {"aggregation": method.name, "trim": method.trim, "per": method.per}


def only_said(fields: dict) -> dict:
    return {name: value for name, value in fields.items() if value is not None}


def _least(number) -> str | None:
    return None if number is None else plain(number)


def terms_of(method: dict) -> Terms:
    """What a standing's rules ask of scores beyond their weights."""
    rounding = method.get("rounding")
    return Terms(
        places=method["decimals"] if rounding else None,
        rounds_components=rounding == Scheme.Rounding.ALL,
        minimums={
            part["name"]: Fraction(part["minimum"])
            for part in method["components"]
            if "minimum" in part
        },
        minimum_total=to_fraction(method.get("minimum_total")),
    )


def to_text(fraction: str | None) -> str | None:
    """A fraction as a decimal of twelve places."""
    return None if fraction is None else str(fraction_to_decimal(Fraction(fraction)))


def to_fraction(text) -> Fraction | None:
    return None if text is None else Fraction(text)
