"""The roadshow as it goes: the draw, who is on stage, the clock.

Every act names the version of the stage that its sender saw. An act on a stage that has moved on
meanwhile, such as the second of two taps on “next team”, changes nothing.
"""

import hashlib
import secrets
import shlex
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, Round, User
from contest.services.rounds import set_running_order
from contest.states import EventStatus, ParticipationStatus, RoundStatus
from judging.models import Appearance, RecordEntry, Stage
from judging.services import record
from judging.services.telling import tell_desk, tell_stage
from judging.states import AppearanceStatus

Phase = Stage.Phase
# “Next” pressed again so soon after a team came is the same press, whatever its page saw by then.
APART = timedelta(seconds=2)


def stage_of(round: Round) -> Stage:
    """The round's stage, made when it is first needed."""
    stage, _created = Stage.objects.select_related("round__event").get_or_create(round=round)
    return stage


def taking_part(round: Round) -> list[Participation]:
    """The teams that compete, in running order."""
    return list(
        round.participations.filter(status=ParticipationStatus.ACTIVE).select_related(
            "team__entry", "appearance"
        )
    )


def status_of(participation: Participation) -> str:
    """Where the team's turn stands; no row means that it waits."""
    appearance = getattr(participation, "appearance", None)
    return appearance.status if appearance else AppearanceStatus.WAITING


def _act(
    round: Round, seen: int | None, change: Callable[[Stage], bool | None], *, is_open: bool = True
) -> Stage:
    """Lock the stage, change it if it still is the one that was seen, and count its version.

    ``change`` returns False where there was nothing to change. The round is locked first, as by
    whoever closes it.
    """
    stage_of(round)
    with transaction.atomic():
        Round.objects.select_for_update(no_key=True, of=("self",)).get(pk=round.pk)
        stage = (
            Stage.objects.select_for_update(of=("self",))
            .select_related("round__event", "current")
            .get(round=round)
        )
        if seen is not None and seen != stage.version:
            return stage
        if is_open and stage.round.status != RoundStatus.OPEN:
            raise Refused(
                _("“%(round)s” is not open; nobody can be called to the stage."),
                code="round_not_open",
                params={"round": stage.round.name},
            )
        if change(stage) is False:
            return stage
        stage.version += 1
        stage.save()
        tell(round)
        tell_desk(round.pk)
    return stage


def tell(round: Round) -> None:
    """Send the stage as it is to tablets and screens."""
    tell_stage(round, describe(round))


def save_settings(
    round: Round, by: User, *, presentation_s: int, questions_s: int, is_public: bool
) -> Stage:
    """Set the lengths of both phases (10 s to 4 h) and who may watch. Raises ValidationError."""

    def change(stage: Stage) -> None:
        stage.presentation_s, stage.questions_s = presentation_s, questions_s
        stage.is_public = is_public
        stage.full_clean()
        LogEntry.write(
            stage, "stage_saved", by=by, after=f"{presentation_s} s + {questions_s} s, {is_public}"
        )

    return _act(round, None, change, is_open=False)


# --- Running order ---------------------------------------------------------------------------


def drawn_order(seed: str, codes: Iterable[str]) -> list[str]:
    """The codes in drawn order: by the SHA-256 of ``seed:code`` as hexadecimal text, ascending.

    Anybody can draw again with ``printf '%s' "$seed:$code" | sha256sum``.
    """
    return sorted(codes, key=lambda code: hashlib.sha256(f"{seed}:{code}".encode()).hexdigest())


def draw(round: Round, by: User, seed: str = "", seen: int | None = None) -> Stage:
    """Draw the running order of the teams that compete; the seed is kept, and may be given.

    Raises Refused once somebody was on stage.
    """
    seed = seed.strip() or secrets.token_hex(8)
    if len(seed) > 64:
        raise ValidationError(_("The seed has at most 64 characters."))

    def change(stage: Stage) -> None:
        _require_not_begun(stage)
        teams = {p.team.code: p for p in taking_part(round)}
        if not teams:
            raise Refused(_("No team is in the round yet."), code="no_teams")
        order = drawn_order(seed, teams)
        set_running_order(round, [teams[code] for code in order], by)
        stage.draw_seed, stage.draw_codes = seed, sorted(teams)
        stage.drawn_at, stage.drawn_by = timezone.now(), by
        record.append(round, RecordEntry.Kind.DRAW, by=by, text=f"{seed}: {' '.join(order)}")
        LogEntry.write(stage, "drawn", by=by, after=seed)

    return _act(round, seen, change, is_open=False)


def reorder(round: Round, by: User, participations: Sequence[int], seen: int | None = None):
    """Put the teams into the order of these ids; turns that were taken stay as they are."""

    def change(stage: Stage) -> None:
        known = {p.pk: p for p in round.participations.all()}
        if unknown := [pk for pk in participations if pk not in known]:
            raise Refused(
                _("The running order names a team twice, or one that is not in the round."),
                code="bad_running_order",
                params={"unknown": unknown},
            )
        set_running_order(round, [known[pk] for pk in participations], by)

    return _act(round, seen, change, is_open=False)


def move(round: Round, by: User, participation: Participation, places: int, seen: int | None):
    """Move one team up (-1) or down (1) the running order; at its end nothing happens."""
    order = [p.pk for p in taking_part(round)]
    if participation.pk not in order:
        raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
    here = order.index(participation.pk)
    there = min(max(here + places, 0), len(order) - 1)
    order.insert(there, order.pop(here))
    return reorder(round, by, order, seen)


def draw_command(stage: Stage) -> str:
    """A line for a shell that draws again: digests and codes, in the drawn order."""
    seed, codes = shlex.quote(stage.draw_seed), " ".join(map(shlex.quote, stage.draw_codes))
    return (
        f"for code in {codes}; do "
        f"printf '%s %s\\n' \"$(printf '%s:%s' {seed} \"$code\" | sha256sum | cut -c1-64)\" "
        '"$code"; done | sort'
    )


def is_as_drawn(stage: Stage, teams: Sequence[Participation]) -> bool:
    """Whether the teams stand in the drawn order still; who left or joined since is passed over."""
    drawn = drawn_order(stage.draw_seed, stage.draw_codes)
    codes = [p.team.code for p in teams]
    return [code for code in codes if code in drawn] == [code for code in drawn if code in codes]


def has_begun(round: Round) -> bool:
    """Whether some team was called or passed over; the order is then not drawn any more."""
    turns = Appearance.objects.filter(participation__round=round)
    return turns.exclude(status=AppearanceStatus.WAITING).exists()


def _require_not_begun(stage: Stage) -> None:
    if has_begun(stage.round):
        raise Refused(
            _("A team was on stage already; the order can be changed by hand, not drawn again."),
            code="stage_begun",
        )


# --- On stage --------------------------------------------------------------------------------


def _appearance(participation: Participation) -> Appearance:
    appearance, _created = Appearance.objects.get_or_create(participation=participation)
    return appearance


def _remember(stage: Stage, *others: Participation) -> None:
    """Keep how the stage and the turns of its team and of ``others`` stand, for ``undo``."""
    teams = [*others, *([stage.current] if stage.current else [])]
    turns = [_appearance(participation) for participation in teams]
    stage.before = {
        "team": stage.current_id,
        "phase": stage.phase,
        "elapsed_ms": stage.elapsed_at(timezone.now()),
        "extra_s": stage.extra_s,
        "other_clocks": stage.other_clocks,
        "ran": stage.running_since is not None,
        "turns": [
            [turn.participation_id, turn.status, _iso(turn.began_at), _iso(turn.ended_at)]
            for turn in turns
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _leave(stage: Stage, by: User, status: str) -> None:
    if stage.current is not None:
        ended = None if status == AppearanceStatus.WAITING else timezone.now()
        _appearance(stage.current).move_to(status, by=by, ended_at=ended)
    stage.current, stage.phase = None, Phase.IDLE
    stage.running_since, stage.elapsed_ms, stage.extra_s = None, 0, 0
    stage.other_clocks = {}


def call(round: Round, by: User, participation: Participation, seen: int | None = None) -> Stage:
    """Bring a team on stage, with the clock ready; who was there before is done."""

    def change(stage: Stage) -> bool | None:
        if participation.round_id != round.pk:
            raise Refused(_("The team is not in this round."), code="wrong_round")
        if participation.status != ParticipationStatus.ACTIVE:
            raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
        if stage.current_id == participation.pk:
            return False
        _remember(stage, participation)
        _leave(stage, by, AppearanceStatus.DONE)
        _appearance(participation).move_to(
            AppearanceStatus.ON_STAGE, by=by, began_at=timezone.now(), ended_at=None
        )
        stage.current, stage.phase = participation, Phase.PRESENTATION
        return True

    return _act(round, seen, change)


def next_team(round: Round) -> Participation | None:
    """The first in running order that still waits."""
    return next((p for p in taking_part(round) if status_of(p) == AppearanceStatus.WAITING), None)


def call_next(round: Round, by: User, seen: int | None = None) -> Stage:
    """Bring the next team on stage; with nobody left, the last one is done.

    The second of two presses may come from a page that saw what the first did; within two seconds
    it changes nothing.
    """
    stage = stage_of(round)
    if seen is not None and _has_just_come(stage):
        return stage
    following = next_team(round)
    if following is None:
        return finish(round, by, seen)
    return call(round, by, following, seen)


def _has_just_come(stage: Stage) -> bool:
    return Appearance.objects.filter(
        participation=stage.current_id, began_at__gt=timezone.now() - APART
    ).exists()


def finish(round: Round, by: User, seen: int | None = None) -> Stage:
    """The team on stage is done; nobody follows yet."""

    def change(stage: Stage) -> bool | None:
        if stage.current is None:
            return False
        _remember(stage)
        _leave(stage, by, AppearanceStatus.DONE)
        return True

    return _act(round, seen, change, is_open=False)


def skip(round: Round, by: User, participation: Participation, seen: int | None = None) -> Stage:
    """Pass over a team that waits or is on stage; it can be called later."""

    def change(stage: Stage) -> None:
        if stage.current_id == participation.pk:
            _remember(stage)
            _leave(stage, by, AppearanceStatus.SKIPPED)
        else:
            _appearance(participation).move_to(AppearanceStatus.SKIPPED, by=by)

    return _act(round, seen, change)


def put_back(round: Round, by: User, participation: Participation, seen: int | None = None):
    """A team that was called by mistake goes back to where it was; one passed over waits again."""

    def change(stage: Stage) -> None:
        if stage.current_id != participation.pk:
            _appearance(participation).move_to(AppearanceStatus.WAITING, by=by)
        elif stage.before and stage.before["team"] != participation.pk:
            _go_back(stage, by)
        else:
            _leave(stage, by, AppearanceStatus.WAITING)

    return _act(round, seen, change, is_open=False)


def undo(round: Round, by: User, seen: int | None = None) -> Stage:
    """Take back, once, that a team was called, passed over on stage, or done. Raises Refused.

    Who was on stage before is there again, in the same phase and with the time that had run then;
    the clock goes on if it was running.
    """

    def change(stage: Stage) -> None:
        if stage.before is None:
            raise Refused(_("There is nothing to take back."), code="nothing_to_undo")
        _go_back(stage, by)

    return _act(round, seen, change, is_open=False)


def _go_back(stage: Stage, by: User) -> None:
    before, stage.before = stage.before, None
    team = Participation.objects.filter(
        pk=before["team"], status=ParticipationStatus.ACTIVE
    ).first()
    # Who was called leaves before who was there comes back.
    for pk, status, began_at, ended_at in before["turns"]:
        if status == AppearanceStatus.ON_STAGE and team is None:
            continue  # it has left the round meanwhile
        Appearance.objects.get(participation=pk).move_to(
            status, by=by, began_at=_moment(began_at), ended_at=_moment(ended_at)
        )
    stage.current, stage.phase = team, before["phase"] if team else Phase.IDLE
    stage.elapsed_ms = before["elapsed_ms"] if team else 0
    stage.extra_s = before["extra_s"] if team else 0
    stage.other_clocks = before["other_clocks"] if team else {}
    runs = team and before["ran"] and stage.round.status == RoundStatus.OPEN
    stage.running_since = timezone.now() if runs else None


# --- The clock -------------------------------------------------------------------------------


def _require_somebody(stage: Stage) -> None:
    if stage.current is None:
        raise Refused(_("Nobody is on stage."), code="nobody_on_stage")


def start(round: Round, by: User, seen: int | None = None) -> Stage:
    """Let the clock of the phase run; it may be running."""

    def change(stage: Stage) -> bool | None:
        _require_somebody(stage)
        if stage.running_since:
            return False
        stage.running_since = timezone.now()
        return True

    return _act(round, seen, change)


def pause(round: Round, by: User | None, seen: int | None = None) -> Stage:
    """Hold the clock; it may be held."""

    def change(stage: Stage) -> bool | None:
        if stage.running_since is None:
            return False
        stage.elapsed_ms = stage.elapsed_at(timezone.now())
        stage.running_since = None
        return True

    return _act(round, seen, change, is_open=False)


def hold(round: Round, by: User | None) -> None:
    """The round is closed: no clock runs on. The team stays until it is finished at the desk."""
    if Stage.objects.filter(round=round).exclude(running_since=None).exists():
        pause(round, by)


def toggle(round: Round, by: User, seen: int | None = None) -> Stage:
    """Start the clock if it stands, hold it if it runs."""
    act = pause if stage_of(round).running_since else start
    return act(round, by, seen)


def go_to_phase(round: Round, by: User, phase: str, seen: int | None = None) -> Stage:
    """Go to the presentation or the questions of the team on stage; each has a clock of its own.

    A phase that was left is gone back to as it was left. The clock runs on if it was running.
    """

    def change(stage: Stage) -> bool | None:
        _require_somebody(stage)
        if phase not in (Phase.PRESENTATION, Phase.QUESTIONS):
            raise Refused(_("Unknown action."), code="unknown_action")
        if stage.phase == phase:
            return False
        now = timezone.now()
        left = {stage.phase: [stage.elapsed_at(now), stage.extra_s]}
        stage.elapsed_ms, stage.extra_s = stage.other_clocks.get(phase, [0, 0])
        stage.other_clocks = left
        stage.phase = phase
        stage.running_since = now if stage.running_since else None
        return True

    return _act(round, seen, change)


def restart_clock(round: Round, by: User, seen: int | None = None) -> Stage:
    """Give the phase its whole time again; the clock runs on if it was running."""

    def change(stage: Stage) -> None:
        _require_somebody(stage)
        now = timezone.now()
        run = stage.elapsed_at(now) // 1000
        LogEntry.write(stage, "clock_restarted", by=by, before=f"{run} s", after=_whose(stage))
        stage.elapsed_ms = 0
        stage.running_since = now if stage.running_since else None

    return _act(round, seen, change)


def add_time(round: Round, by: User, seconds: int, seen: int | None = None) -> Stage:
    """Give the phase more time, or less; a second of it stays."""

    def change(stage: Stage) -> None:
        _require_somebody(stage)
        before = stage.limit_s
        stage.extra_s += max(seconds, 1 - before)
        LogEntry.write(
            stage,
            "clock_changed",
            by=by,
            before=f"{before} s",
            after=f"{stage.limit_s} s, {_whose(stage)}",
        )

    return _act(round, seen, change)


def _whose(stage: Stage) -> str:
    return f"{stage.current.team.code}, {stage.phase}"


# --- For screens -----------------------------------------------------------------------------


def is_open_to_all(round: Round) -> bool:
    """Whether whoever has the address of the stage screen may watch it."""
    return (
        round.status != RoundStatus.DRAFT
        and round.event.status != EventStatus.DRAFT
        and Stage.objects.filter(round=round, is_public=True).exists()
    )


def describe(round: Round) -> dict:
    """What everybody in the hall may see, as tablets and the stage screen are sent it.

    ``position``: the place of the team on stage among the ``count`` that compete; None where there
    is no running order.
    """
    stage = stage_of(round)
    teams = taking_part(round)
    waiting = [p for p in teams if status_of(p) == AppearanceStatus.WAITING]
    position, current = next(
        ((n, p) for n, p in enumerate(teams, start=1) if p.pk == stage.current_id), (None, None)
    )
    return {
        "round": round.pk,
        "version": stage.version,
        "phase": stage.phase,
        "limit_s": stage.limit_s,
        "elapsed_ms": stage.elapsed_ms,
        "running_since": stage.running_since.isoformat() if stage.running_since else None,
        "server_time": timezone.now().isoformat(),
        "current": describe_team(current) if current else None,
        "position": position if current and current.running_order else None,
        "next": describe_team(waiting[0]) if waiting else None,
        "order": [{"participation": p.pk, "status": status_of(p)} for p in teams],
        "done": sum(status_of(p) == AppearanceStatus.DONE for p in teams),
        "count": len(teams),
    }


def describe_team(participation: Participation) -> dict:
    """A team as the hall sees it, in both languages."""
    team = participation.team
    return {
        "participation": participation.pk,
        "order": participation.running_order,
        "code": team.code,
        "name_zh": team.name_zh,
        "name_en": team.name_en,
        "organisation_zh": team.organisation_zh,
        "organisation_en": team.organisation_en,
        "title_zh": team.entry.title_zh,
        "title_en": team.entry.title_en,
    }
