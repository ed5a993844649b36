"""A round's rule of advancement: kept beside its scheme, and as a copy with every proposal."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.models import LogEntry, Round, Track, User
from judging.organisations import plain_names
from leaderboard.models import AdvancementQuota, AdvancementRule
from leaderboard.ranking.selection import Candidate, Quota, Rule, Ties
from leaderboard.services.schemes import ensure_scheme

Kind = AdvancementQuota.Kind


def rule_of(round: Round) -> AdvancementRule:
    """The round's rule; one that says nothing, and is not stored, where none was saved."""
    found = AdvancementRule.objects.filter(round=round).first()
    return found or AdvancementRule(round=round)


def snapshot(round: Round) -> dict:
    """The rule as plain values, with the number from the scheme: what a proposal is made by."""
    rule = rule_of(round)
    quotas = rule.quotas.select_related("track") if rule.pk else ()
    return {
        "count": ensure_scheme(round).advance_count,
        "wildcards": rule.wildcards,
        "reserves": rule.reserves,
        "ties": str(rule.ties),
        "quotas": [
            {"kind": str(q.kind), "group": q.group, "most": q.most, "least": q.least}
            for q in quotas
        ],
    }


def selection_rule(kept: dict) -> Rule:
    """A snapshot as ``select`` takes it."""
    return Rule(
        count=kept["count"],
        quotas=tuple(
            Quota(q["kind"], q["group"] or None, q["most"], q["least"]) for q in kept["quotas"]
        ),
        reserves=kept["reserves"] if kept["count"] else 0,
        ties=Ties(kept["ties"]),
    )


@transaction.atomic
def save_rule(
    round: Round, by: User, *, wildcards: int, reserves: int, ties: str, quotas: Iterable[dict]
) -> AdvancementRule:
    """Set the rule; the log keeps what it was and is.

    ``quotas``: dicts with the fields of AdvancementQuota. Raises Refused once the ranking is signed
    off, ValidationError.
    """
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    round.require_undecided()
    before = describe(snapshot(round))
    rule = rule_of(round)
    rule.wildcards, rule.reserves, rule.ties = wildcards, reserves, ties
    rule.full_clean()
    rule.save()
    rule.quotas.all().delete()
    named = set()
    tracks = {track.pk for track in sub_tracks(round)}
    for fields in quotas:
        quota = AdvancementQuota(rule=rule, **fields)
        quota.full_clean()
        if quota.kind == Kind.TRACK and (
            not tracks or (quota.track_id and quota.track_id not in tracks)
        ):
            raise ValidationError(_("The round's track has no such sub-tracks."))
        if (quota.kind, quota.group) in named:
            raise ValidationError(_("Two quotas are for the same teams."))
        named.add((quota.kind, quota.group))
        quota.save()
    kept = snapshot(round)
    _require_room(round, kept)
    LogEntry.write(rule, "advancement_rule", by=by, before=before, after=describe(kept))
    return rule


def _require_room(round: Round, kept: dict) -> None:
    """Raise ValidationError where more places are kept for groups of one kind than there are."""
    for kind, label in Kind.choices:
        named = [q for q in kept["quotas"] if q["kind"] == kind and q["least"]]
        wanted = sum(q["least"] for q in named if q["group"])
        if kind == Kind.TRACK:
            groups = {track.slug for track in sub_tracks(round)} - {q["group"] for q in named}
            wanted += sum(q["least"] * len(groups) for q in named if not q["group"])
        if wanted > kept["count"]:
            raise ValidationError(
                _("%(wanted)s places would be kept by “%(kind)s”, but only %(count)s advance.")
                % {"wanted": wanted, "kind": label, "count": kept["count"]}
            )


def describe(kept: dict) -> str:
    """The rule in one line, for the log."""
    parts = [f"top {kept['count']}", f"ties: {kept['ties']}"]
    for quota in kept["quotas"]:
        most = f" ≤{quota['most']}" if quota["most"] is not None else ""
        least = f" ≥{quota['least']}" if quota["least"] else ""
        parts.append(f"{quota['kind']} {quota['group'] or '*'}{most}{least}")
    parts += [f"{name}: {kept[name]}" for name in ("wildcards", "reserves") if kept[name]]
    return "; ".join(parts)


def sub_tracks(round: Round) -> list[Track]:
    """The tracks directly below the round's: what quotas of sub-tracks are about."""
    return list(Track.objects.filter(parent=round.track_id))


class Groups:
    """Which country, organisation and sub-track the teams of a round belong to.

    Organisations are the same where a name of theirs is, but for case, width and punctuation; that
    one name stands within another decides nothing here. A team without organisation has none.
    """

    def __init__(self, round: Round, teams: Iterable):
        teams = list(teams)
        self.tracks = self._first_level(round)
        # Names that stand at one team are one organisation's: the same root for all of them.
        self._root: dict[str, str] = {}
        for team in teams:
            names = sorted(plain_names([team.organisation_zh, team.organisation_en]))
            for name in names[1:]:
                self._join(names[0], name)
        self.of = {team.pk: self._of(team) for team in teams}

    @staticmethod
    def _first_level(round: Round) -> dict[int, str]:
        """The slug of the sub-track directly below the round's for each track below that."""
        below = round.track.with_descendants()
        by_pk = {track.pk: track for track in below}
        slugs = {}
        for track in below:
            top = track
            while top.parent_id in by_pk and top.parent_id != round.track_id:
                top = by_pk[top.parent_id]
            if top.pk != round.track_id:
                slugs[track.pk] = top.slug
        return slugs

    def _find(self, name: str) -> str:
        while (above := self._root.get(name, name)) != name:
            name = above
        return name

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        if first != second:
            self._root[second] = first

    def _of(self, team) -> dict[str, str | None]:
        names = sorted(plain_names([team.organisation_zh, team.organisation_en]))
        return {
            Kind.COUNTRY.value: team.country.code or None,
            Kind.ORGANISATION.value: self._find(names[0]) if names else None,
            Kind.TRACK.value: self.tracks.get(team.track_id),
        }


def candidates(round: Round, rows: Iterable) -> list[Candidate]:
    """The rows of a standing as ``select`` takes them, by their participation."""
    rows = list(rows)
    groups = Groups(round, (row.participation.team for row in rows)).of
    return [
        Candidate(row.participation_id, row.rank, groups[row.participation.team_id]) for row in rows
    ]
