"""What the stage screen shows: step by step, and never more than what was revealed.

``state`` is the only way from here to a screen. It is made of what was revealed and of nothing
else: a total or a rank that waits for its step is in no answer of the server.

Every act names the version that its sender saw; an act on a reveal that has moved on meanwhile,
such as the second of two presses of a key, changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, Round, User
from contest.numbers import round_half_up
from contest.states import ParticipationStatus
from judging.models import Appearance, Stage
from judging.services import stage as stages
from judging.services.grid import submitted_counts
from judging.services.telling import tell_hall
from judging.states import AppearanceStatus
from leaderboard.models import Reveal, SchemeComponent, Standing, StandingRow
from leaderboard.services import standings
from leaderboard.services.schemes import ensure_scheme

Scene = Reveal.Scene
MOST_PLACES = 200
# A step so soon after the last is the second press of one, whatever its page saw by then.
APART = timedelta(milliseconds=700)
# So long what everybody sees is kept for those who ask; what changes it renews it at once.
KEPT_S = 1


# --- Steps, as pure functions ----------------------------------------------------------------


@dataclass(frozen=True)
class Scores:
    """The judges' scores of one team as they count: ``(judge, total, dropped)`` in their order.

    ``mean`` is None where the judges' veto excludes the team.
    """

    sheets: tuple[tuple[str, Decimal, bool], ...]
    mean: Decimal | None
    vetoed: bool = False

    @property
    def steps(self) -> int:
        """One a sheet, one that strikes through what is dropped (if any), one for the mean."""
        return len(self.sheets) + any(dropped for *_rest, dropped in self.sheets) + 1


def scores_of(explanation: Mapping, round_id: int) -> Scores | None:
    """The judges' scores of this round in the explanation of a row; None if there are none.

    Sheets that do not count are not shown at all: that a judge is recused is nobody's business.
    """
    name = f"{SchemeComponent.Kind.JUDGES}-{round_id}"
    part = next((part for part in explanation["components"] if part["name"] == name), None)
    sheets = [sheet for sheet in (part or {}).get("sheets", []) if sheet["counted"]]
    if not sheets:
        return None
    return Scores(
        sheets=tuple((s["judge"], Decimal(s["total"]), bool(s["dropped"])) for s in sheets),
        mean=None if part["scaled"] is None else Decimal(part["scaled"]),
        vetoed=bool(part.get("vetoed")),
    )


def shown_scores(scores: Scores, step: int, *, show_judges: bool, decimals: int) -> dict:
    """What is to be seen of them at a step. A sheet that waits has no total, whatever it is."""
    count = len(scores.sheets)
    struck = step > count
    # With equal extremes it makes no difference which is called which.
    dropped_sheets = sorted(
        (total, n) for n, (_judge, total, dropped) in enumerate(scores.sheets, start=1) if dropped
    )
    lowest = {n for _total, n in dropped_sheets[: len(dropped_sheets) // 2]}
    sheets = []
    for n, (judge, total, dropped) in enumerate(scores.sheets, start=1):
        shown = n <= step
        sheet = {"n": n, "total": _text(total, decimals) if shown else None, "dropped": ""}
        if show_judges:
            sheet["judge"] = judge
        if shown and struck and dropped:
            sheet["dropped"] = "lowest" if n in lowest else "highest"
        sheets.append(sheet)
    done = step >= scores.steps
    return {
        "sheets": sheets,
        "mean": _text(scores.mean, decimals) if done else None,
        "excluded": done and scores.vetoed,
        "is_complete": done,
    }


def _text(value: Decimal | None, decimals: int) -> str | None:
    return None if value is None else str(round_half_up(value, decimals))


def ranked_groups(rows: Sequence[StandingRow], places: int) -> list[list[StandingRow]]:
    """The rows with one of the first ``places`` ranks, last rank first, equals together."""
    groups: dict[int, list[StandingRow]] = {}
    for row in rows:
        if row.rank is not None and row.rank <= places:
            groups.setdefault(row.rank, []).append(row)
    return [groups[rank] for rank in sorted(groups, reverse=True)]


def ranking_steps(groups: Sequence[Sequence[StandingRow]], drumroll: int) -> list[tuple[int, bool]]:
    """``(groups shown, whether the next one is announced)`` after each step, from none on."""
    steps = [(0, False)]
    for n, group in enumerate(groups):
        if group[0].rank <= drumroll:
            steps.append((n, True))
        steps.append((n + 1, False))
    return steps


def ranked_means(revealed: Mapping[int, Decimal | None]) -> list[tuple[int | None, int]]:
    """``(rank, participation)``, best first, equals sharing a rank; the excluded last, unranked."""
    known = {pk: mean for pk, mean in revealed.items() if mean is not None}
    order = sorted(known, key=lambda pk: (-known[pk], pk))
    ranked = [(1 + sum(other > known[pk] for other in known.values()), pk) for pk in order]
    return ranked + [(None, pk) for pk in sorted(revealed) if pk not in known]


# --- Acts ------------------------------------------------------------------------------------


def reveal_of(round: Round) -> Reveal:
    """The round's reveal, made when it is first needed."""
    reveal, _created = Reveal.objects.get_or_create(round=round)
    return reveal


def _act(round: Round, seen: int | None, change: Callable[[Reveal], bool | None]) -> Reveal:
    """Lock the reveal, change it if it still is the one that was seen, and count its version.

    ``change`` returns False where there was nothing to change.
    """
    reveal_of(round)
    with transaction.atomic():
        reveal = (
            Reveal.objects.select_for_update(of=("self",))
            .select_related("round__event", "participation__team", "standing", "sheets_standing")
            .get(round=round)
        )
        if seen is not None and seen != reveal.version:
            return reveal
        if change(reveal) is False:
            return reveal
        reveal.version += 1
        tell_hall(round)
        reveal.save()
    return reveal


def _ask(message, code: str, confirm: Mapping, **params):
    """Refuse what nobody should do unawares; ``confirm`` is what the request repeats to mean it."""
    raise Refused(message, code=code, params={**params, "confirm": dict(confirm)})


def _require_sheets(done: int, expected: int, missing: int) -> None:
    """Raise Refused where more sheets are missing than whoever reveals the scores was told."""
    if expected - done > missing:
        _ask(
            _("%(done)s of %(all)s sheets are in."),
            "sheets_missing",
            {"missing": expected - done},
            done=done,
            all=expected,
        )


def show(
    round: Round,
    by: User,
    scene: str,
    seen: int | None = None,
    *,
    missing: int = 0,
    standing: int | None = None,
) -> Reveal:
    """Choose what the screen shows. Reveals under way stay where they are; a first time begins one.

    Judges' scores are those of the team on stage, or of the last one that was; unless those of
    another team are half revealed. A ranking of which nothing was shown yet is the newest.

    Raises Refused; also where more than ``missing`` sheets are, and where a ranking would be gone
    on with that has changed or was shown to its end, unless ``standing`` names it.
    """
    if scene not in Scene.values:
        raise Refused(_("Unknown action."), code="unknown_action")
    if scene in (Scene.SHEETS, Scene.RANKING):
        standings.refresh(round)

    def change(reveal: Reveal) -> None:
        if scene == Scene.SHEETS and not _is_half_revealed(reveal):
            wanted = _last_on_stage(round) or reveal.participation
            if wanted is None:
                raise Refused(_("Choose a team; none was on stage yet."), code="no_team")
            if wanted != reveal.participation or reveal.sheets_step == 0:
                _take_team(reveal, wanted, missing)
        if scene == Scene.RANKING:
            if reveal.standing is None or reveal.ranking_step == 0:
                _take_ranking(reveal, missing)
            elif reveal.scene != Scene.RANKING and reveal.standing_id != standing:
                _ask_to_go_on(reveal)
        if scene == Scene.BLANK and reveal.scene != Scene.BLANK:
            reveal.scene_before = reveal.scene
        reveal.scene = scene

    return _act(round, seen, change)


def _ask_to_go_on(reveal: Reveal, *, from_the_end: bool = False) -> None:
    confirm = {"standing": reveal.standing_id}
    if not reveal.standing.is_current:
        _ask(_("The ranking has changed since its reveal began."), "ranking_changed", confirm)
    at, steps = ranking_progress(reveal)
    if at == steps and not from_the_end:
        _ask(_("The ranking was revealed to its end already."), "ranking_revealed", confirm)


def toggle_blank(
    round: Round, by: User, seen: int | None = None, *, standing: int | None = None
) -> Reveal:
    """Show nothing; or what was shown before. Raises Refused as ``show`` does."""

    def change(reveal: Reveal) -> None:
        if reveal.scene == Scene.BLANK:
            again = reveal.scene_before == Scene.RANKING and reveal.ranking_step
            if again and reveal.standing_id != standing:
                _ask_to_go_on(reveal, from_the_end=True)
            reveal.scene = reveal.scene_before
        else:
            reveal.scene, reveal.scene_before = Scene.BLANK, reveal.scene

    return _act(round, seen, change)


def _last_on_stage(round: Round) -> Participation | None:
    current = (
        Stage.objects.filter(round=round).exclude(current=None).select_related("current__team")
    )
    if stage := current.first():
        return stage.current
    last = (
        Appearance.objects.filter(
            participation__round=round,
            participation__status=ParticipationStatus.ACTIVE,
            status=AppearanceStatus.DONE,
        )
        .select_related("participation__team")
        .order_by("-ended_at")
        .first()
    )
    return last.participation if last else None


def _is_half_revealed(reveal: Reveal) -> bool:
    scores = _scores(reveal)
    return scores is not None and 0 < reveal.sheets_step < scores.steps


def choose_team(
    round: Round,
    by: User,
    participation: Participation,
    seen: int | None = None,
    *,
    missing: int = 0,
) -> Reveal:
    """Begin the judges' scores of a team anew, by the newest standing.

    Raises Refused; also where more than ``missing`` of its sheets are.
    """
    if participation.round_id != round.pk:
        raise Refused(_("The team is not in this round."), code="wrong_round")
    standings.refresh(round)

    def change(reveal: Reveal) -> None:
        _take_team(reveal, participation, missing)
        reveal.scene = Scene.SHEETS

    return _act(round, seen, change)


def _take_team(reveal: Reveal, participation: Participation, missing: int) -> None:
    reveal.participation = participation
    reveal.sheets_standing = standings.current(reveal.round, standings.FULL)
    reveal.sheets_step = 0
    if _scores(reveal) is None:
        raise Refused(
            _("No judge's sheet counts for %(team)s yet."),
            code="no_sheets",
            params={"team": participation.team.name},
        )
    done, expected = submitted_counts(reveal.round).get(participation.pk, (0, 0))
    _require_sheets(done, expected, missing)


def _scores(reveal: Reveal) -> Scores | None:
    """The judges' scores under way, as they were when their reveal began."""
    if reveal.participation_id is None or reveal.sheets_standing_id is None:
        return None
    row = StandingRow.objects.filter(
        standing=reveal.sheets_standing_id, participation=reveal.participation_id
    ).first()
    return scores_of(row.explanation, reveal.round_id) if row else None


def begin_ranking(
    round: Round,
    by: User,
    places: int = 0,
    drumroll: int = 3,
    seen: int | None = None,
    *,
    missing: int = 0,
) -> Reveal:
    """Begin the ranking (anew): pinned to the newest standing, so that nothing moves on the way.

    ``places``: from which place on up to the first; 0: as many as advance, or all.
    ``drumroll``: so many first places are announced before they are shown.

    Raises Refused; also where more than ``missing`` sheets are.
    """
    if not 0 <= places <= MOST_PLACES or not 0 <= drumroll <= MOST_PLACES:
        raise Refused(
            _("Give a number of places from 1 to %(most)s."),
            code="bad_places",
            params={"most": MOST_PLACES},
        )
    standings.refresh(round)

    def change(reveal: Reveal) -> None:
        reveal.places_asked, reveal.drumroll = places, drumroll
        _take_ranking(reveal, missing)
        reveal.scene = Scene.RANKING

    return _act(round, seen, change)


def begin_anew(round: Round, by: User, seen: int | None = None, *, missing: int = 0) -> Reveal:
    """Begin the ranking anew with the places that were asked for before."""
    reveal = reveal_of(round)
    return begin_ranking(round, by, reveal.places_asked, reveal.drumroll, seen, missing=missing)


def _take_ranking(reveal: Reveal, missing: int) -> None:
    standing = standings.current(reveal.round, standings.FULL)
    ranked = standing.rows.exclude(rank=None).count() if standing else 0
    if not ranked:
        raise Refused(_("No team is ranked yet."), code="nobody_ranked")
    _require_sheets(*sheets_in(reveal.round), missing)
    reveal.standing, reveal.ranking_step = standing, 0
    reveal.places = (
        reveal.places_asked or ensure_scheme(reveal.round).advance_count or min(ranked, MOST_PLACES)
    )


def sheets_in(round: Round) -> tuple[int, int]:
    """How many sheets of the round's teams are submitted, of how many."""
    counts = submitted_counts(round).values()
    return sum(done for done, _all in counts), sum(expected for _done, expected in counts)


def _groups(reveal: Reveal) -> list[list[StandingRow]]:
    if reveal.standing_id is None:
        return []
    rows = StandingRow.objects.filter(standing=reveal.standing_id).select_related(
        "participation__team__entry"
    )
    return ranked_groups(list(rows), reveal.places)


def step(round: Round, by: User, seen: int | None = None) -> Reveal:
    """One step on in the scene that is shown; at its end nothing happens, nor so soon after the
    last step that it must be the same press.

    What is disclosed by it is kept in the log.
    """

    def change(reveal: Reveal) -> bool:
        now = timezone.now()
        if seen is not None and reveal.stepped_at and now - reveal.stepped_at < APART:
            return False
        reveal.stepped_at = now
        return _step(reveal, by)

    return _act(round, seen, change)


def _step(reveal: Reveal, by: User) -> bool:
    if reveal.scene == Scene.SHEETS and (scores := _scores(reveal)):
        if reveal.sheets_step >= scores.steps:
            return False
        reveal.sheets_step += 1
        code = reveal.participation.team.code
        if reveal.sheets_step == 1:
            LogEntry.write(reveal, "reveal_begun", by=by, after=code)
        if reveal.sheets_step == scores.steps:
            mean = None if scores.mean is None else str(scores.mean)
            reveal.revealed = {**reveal.revealed, str(reveal.participation_id): mean}
            LogEntry.write(reveal, "score_revealed", by=by, after=f"{code}: {mean}")
        return True
    if reveal.scene == Scene.RANKING:
        groups = _groups(reveal)
        steps = ranking_steps(groups, reveal.drumroll)
        if reveal.ranking_step + 1 >= len(steps):
            return False
        before, _announced = steps[reveal.ranking_step]
        reveal.ranking_step += 1
        after, _announced = steps[reveal.ranking_step]
        for group in groups[before:after]:
            codes = ", ".join(row.participation.team.code for row in group)
            LogEntry.write(reveal, "rank_revealed", by=by, after=f"{group[0].rank}: {codes}")
        return True
    return False


def back(round: Round, by: User, seen: int | None = None) -> Reveal:
    """One step back on the screen; what was disclosed stays in the log and on the board."""

    def change(reveal: Reveal) -> None:
        if reveal.scene == Scene.SHEETS:
            reveal.sheets_step = max(0, reveal.sheets_step - 1)
        elif reveal.scene == Scene.RANKING:
            reveal.ranking_step = max(0, reveal.ranking_step - 1)

    return _act(round, seen, change)


def take_off(round: Round, by: User, participation: Participation, seen: int | None = None):
    """Take a team off the board of teams so far, such as one revealed by mistake."""

    def change(reveal: Reveal) -> None:
        kept = {pk: mean for pk, mean in reveal.revealed.items() if pk != str(participation.pk)}
        if len(kept) != len(reveal.revealed):
            LogEntry.write(reveal, "reveal_taken_back", by=by, after=participation.team.code)
        reveal.revealed = kept

    return _act(round, seen, change)


def freeze(round: Round, by: User, seen: int | None = None) -> Reveal:
    """Keep on the screen what it shows, whatever is done at the desk; the clock stands, too."""

    def change(reveal: Reveal) -> None:
        if reveal.frozen is None:
            reveal.frozen = _held(_picture(reveal))

    return _act(round, seen, change)


def unfreeze(round: Round, by: User, seen: int | None = None) -> Reveal:
    """Let the screen follow the desk again."""

    def change(reveal: Reveal) -> None:
        reveal.frozen = None

    return _act(round, seen, change)


def _held(picture: dict) -> dict:
    """The picture with its clock stopped where it is."""
    if stage := picture.get("stage"):
        running = Stage.objects.filter(round=stage["round"]).first()
        elapsed = running.elapsed_at(timezone.now()) if running else stage["elapsed_ms"]
        picture = {**picture, "stage": {**stage, "running_since": None, "elapsed_ms": elapsed}}
    return picture


def set_show_judges(round: Round, by: User, show_judges: bool, seen: int | None = None) -> Reveal:
    """Whether the screen names the judges."""

    def change(reveal: Reveal) -> None:
        if reveal.show_judges != show_judges:
            reveal.show_judges = show_judges
            LogEntry.write(reveal, "reveal_judges", by=by, after=str(show_judges))

    return _act(round, seen, change)


# --- For screens -----------------------------------------------------------------------------


def state(round: Round) -> dict:
    """Everything the stage screen shows, for everybody's eyes, in both languages, as JSON.

    ``version`` and ``stage_version`` are what acts name; ``server_time`` sets the clock.
    """
    reveal = (
        Reveal.objects.filter(round=round).select_related("participation__team__entry").first()
    ) or Reveal(round=round)
    reveal.round = round
    stage_version = Stage.objects.filter(round=round).values_list("version", flat=True).first()
    picture = _picture(reveal) if reveal.frozen is None else reveal.frozen
    return {
        **picture,
        "version": reveal.version,
        "stage_version": stage_version or 0,
        "is_frozen": reveal.frozen is not None,
        "server_time": timezone.now().isoformat(),
    }


def driven_state(round: Round, shown: dict | None = None) -> dict:
    """The state for whoever drives the screen by its keys: also what is on behind a frozen one.

    ``drive`` says what keys act on and nothing that the screen has not shown: the scene, the phase,
    who is on stage and next, and the teams in order, by their ids. ``shown`` is the state, where
    it is known already.
    """
    stage = stages.describe(round)
    scene = Reveal.objects.filter(round=round).values_list("scene", flat=True).first()
    return {
        **(shown or state(round)),
        "drive": {
            "scene": scene or Scene.STAGE,
            "phase": stage["phase"],
            "current": stage["current"] and stage["current"]["participation"],
            "next": stage["next"] and stage["next"]["participation"],
            "teams": [turn["participation"] for turn in stage["order"]],
        },
    }


def public_state(round: Round) -> dict:
    """The state as everybody may know it, at most a second old: thousands may ask at once."""
    kept = cache.get(_kept(round))
    return keep_public(round, state(round)) if kept is None else kept


def keep_public(round: Round, state: dict) -> dict:
    """Answer with this state those who ask within the next second."""
    cache.set(_kept(round), state, KEPT_S)
    return state


def _kept(round: Round) -> str:
    return f"stage-screen-{round.pk}"


def _picture(reveal: Reveal) -> dict:
    """The scene with what it shows, and nothing besides."""
    round, scene = reveal.round, reveal.scene
    show = {
        Scene.STAGE: _stage,
        Scene.SHEETS: _sheets,
        Scene.BOARD: _board,
        Scene.RANKING: _ranking,
    }
    shown = show[scene](reveal) if scene in show else {}
    return {"round": round.pk, "scene": str(scene), **shown}


def _stage(reveal: Reveal) -> dict:
    described = stages.describe(reveal.round)
    current = described["current"]
    done, expected = 0, 0
    if current is not None:
        counts = submitted_counts(reveal.round)
        done, expected = counts.get(current["participation"], (0, 0))
    del described["server_time"]  # it stands beside the scene
    return {"stage": described, "sheets_in": done, "sheets_expected": expected}


def _sheets(reveal: Reveal) -> dict:
    scores = _scores(reveal)
    if scores is None:
        return {"team": None, "sheets": [], "mean": None, "excluded": False, "is_complete": False}
    shown = shown_scores(
        scores,
        reveal.sheets_step,
        show_judges=reveal.show_judges,
        decimals=ensure_scheme(reveal.round).decimals,
    )
    return {"team": stages.describe_team(reveal.participation), **shown}


def _board(reveal: Reveal) -> dict:
    means = {
        int(pk): None if mean is None else Decimal(mean) for pk, mean in reveal.revealed.items()
    }
    teams = {
        p.pk: p
        for p in Participation.objects.filter(
            pk__in=means, round=reveal.round, status=ParticipationStatus.ACTIVE
        ).select_related("team__entry")
    }
    decimals = ensure_scheme(reveal.round).decimals
    return {
        "rows": [
            {
                "rank": rank,
                "team": stages.describe_team(teams[pk]),
                "score": _text(means[pk], decimals),
            }
            for rank, pk in ranked_means({pk: means[pk] for pk in teams})
        ]
    }


def _ranking(reveal: Reveal) -> dict:
    groups = _groups(reveal)
    steps = ranking_steps(groups, reveal.drumroll)
    shown, announced = steps[min(reveal.ranking_step, len(steps) - 1)]
    decimals = ensure_scheme(reveal.round).decimals
    return {
        # The rank that comes next, while the hall waits for its name.
        "coming": groups[shown][0].rank if announced else None,
        "rows": [
            {
                "rank": row.rank,
                "team": stages.describe_team(row.participation),
                "score": _text(row.total, decimals),
            }
            for group in reversed(groups[:shown])
            for row in group
        ],
    }


# --- For the organizer's desk ----------------------------------------------------------------


def progress(reveal: Reveal) -> tuple[int, int]:
    """Which step of how many the scene stands at; (0, 0) where it has none."""
    if reveal.scene == Scene.SHEETS and (scores := _scores(reveal)):
        return reveal.sheets_step, scores.steps
    if reveal.scene == Scene.RANKING:
        return ranking_progress(reveal)
    return 0, 0


def ranking_progress(reveal: Reveal) -> tuple[int, int]:
    """Which step of how many the ranking stands at, whatever is on the screen."""
    steps = ranking_steps(_groups(reveal), reveal.drumroll)
    return min(reveal.ranking_step, len(steps) - 1), len(steps) - 1


def coming(reveal: Reveal) -> list[StandingRow]:
    """Who is shown next in the ranking: for whoever presents, not for the hall."""
    if reveal.scene != Scene.RANKING:
        return []
    groups = _groups(reveal)
    steps = ranking_steps(groups, reveal.drumroll)
    shown, _announced = steps[min(reveal.ranking_step, len(steps) - 1)]
    return list(groups[shown]) if shown < len(groups) else []


def outdated(reveal: Reveal) -> list[str]:
    """What the screen shows of scores that have changed since: "ranking", "sheets"."""
    found = []
    if reveal.standing is not None and not reveal.standing.is_current:
        found.append("ranking")
    if reveal.sheets_standing is not None and not reveal.sheets_standing.is_current:
        now = _newest_scores(reveal, [reveal.participation_id])
        if now.get(reveal.participation_id) != _scores(reveal):
            found.append("sheets")
    return found


def outdated_means(reveal: Reveal) -> list[int]:
    """The teams of the board so far, by participation, whose mean is another one by now."""
    now = _newest_scores(reveal, map(int, reveal.revealed))
    return [
        pk
        for pk, scores in now.items()
        if reveal.revealed[str(pk)]
        != (None if scores is None or scores.mean is None else str(scores.mean))
    ]


def _newest_scores(reveal: Reveal, participations: Iterable[int]) -> dict[int, Scores | None]:
    """The judges' scores of these teams, of those that still compete, by the newest standing."""
    rows = StandingRow.objects.filter(
        standing__round=reveal.round,
        standing__audience=Standing.Audience.FULL,
        standing__is_current=True,
        participation__in=list(participations),
        participation__status=ParticipationStatus.ACTIVE,
    )
    return {row.participation_id: scores_of(row.explanation, reveal.round_id) for row in rows}
