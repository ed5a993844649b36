"""Why a team advances or does not, in words."""

from django.utils.translation import gettext as _
from django_countries import countries

from contest.models import Round
from leaderboard.models import AdvancementQuota
from leaderboard.ranking.selection import Code
from leaderboard.services.advancement_rules import sub_tracks

Kind = AdvancementQuota.Kind


class Words:
    """The words for one round, whose sub-tracks it names."""

    def __init__(self, round: Round):
        self.tracks = {track.slug: track.name for track in sub_tracks(round)}

    def group(self, kind: str, group: str) -> str:
        """A group's name; an organisation stays as the names were compared."""
        if kind == Kind.COUNTRY:
            return str(countries.name(group)) or group
        if kind == Kind.TRACK:
            return self.tracks.get(group, group)
        return group.strip()

    def why(self, why: dict) -> str:
        """The sentence for ``AdvancementRow.why``."""
        given = {
            "number": why.get("number"),
            "group": self.group(why["kind"], why["group"]) if "kind" in why else "",
        }
        said = {
            Code.RANK: "",
            Code.MOVED_UP: _("moves up, as a team before it stays out"),
            Code.GUARANTEED: _("one of %(number)s places kept for %(group)s"),
            Code.ALL_IN: _("tied; by the rule all of them advance"),
            Code.DECIDED_IN: _("tied; the organizers decided"),
            Code.TIED: _("tied for more places than there are"),
            Code.UNRANKED: _("not ranked"),
            Code.BELOW: _("no place left"),
            Code.QUOTA: _("the quota of %(group)s is full (%(number)s)"),
            Code.KEPT: _("the places left are kept for others"),
            Code.ALL_OUT: _("tied; by the rule none of them advances"),
            Code.DECIDED_OUT: _("tied; the organizers decided"),
            Code.WAITS: _("open until the tie before it is decided"),
            "wildcard": _("by the organizers, with a reason"),
        }
        return said.get(why.get("code", ""), "") % given

    def rule(self, kept: dict) -> list[str]:
        """A rule's snapshot, sentence by sentence."""
        if not kept["count"]:
            return [_("Nobody advances from this round; its ranking decides the prizes.")]
        lines = [_("The best %(count)s advance.") % kept]
        for quota in kept["quotas"]:
            of = (
                self.group(quota["kind"], quota["group"])
                if quota["group"]
                else _("each %(kind)s") % {"kind": Kind(quota["kind"]).label}
            )
            given = {**quota, "of": of}
            if quota["most"] is not None:
                lines.append(_("At most %(most)s of %(of)s.") % given)
            if quota["least"]:
                lines.append(_("%(least)s places are kept for %(of)s.") % given)
        if kept["wildcards"]:
            lines.append(_("The organizers may give %(wildcards)s more by name.") % kept)
        if kept["reserves"]:
            lines.append(_("%(reserves)s reserves follow in order when a team leaves.") % kept)
        return lines
