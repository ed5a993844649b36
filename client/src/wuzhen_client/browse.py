"""Looking around: events and rounds, a round's rules, its leaderboard and its sample."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from wuzhen_client import show
from wuzhen_client.api import file_name
from wuzhen_client.commands import Command
from wuzhen_client.competition import (
    accepted_kinds,
    count_quota,
    current_benchmark,
    find_event,
    find_round,
    own_participations,
)
from wuzhen_client.errors import Problem
from wuzhen_client.texts import label, named, text

BOARD_ROWS = 20


@click.command("list", cls=Command, help="help_list")
@click.pass_obj
def list_events(session):
    events = _outline(session.api)
    if session.as_json:
        show.dump(events)
    elif not events:
        show.say(text("no_events"))
    else:
        for event in events:
            _print_event(event)


def _outline(api) -> list[dict]:
    """Events as the API gives them, with ``tracks``, their ``rounds`` and one's ``teams``."""
    rounds, tracks, teams = defaultdict(list), defaultdict(list), defaultdict(list)
    taking_part = defaultdict(list)
    if api.has_token:
        for team in api.pages("teams/", mine="true"):
            teams[team["track"]].append(team)
            for participation in api.pages("participations/", team=team["id"]):
                taking_part[participation["round"]].append(participation)
    for round in api.pages("rounds/"):
        rounds[round["track"]].append(round | {"teams": taking_part[round["id"]]})
    for track in api.pages("tracks/"):
        inside = {"rounds": rounds[track["id"]], "teams": teams[track["id"]]}
        tracks[track["event"]].append(track | inside)
    return [event | {"tracks": tracks[event["slug"]]} for event in api.pages("events/")]


def _print_event(event: dict) -> None:
    show.say(
        text(
            "event_line", name=named(event), slug=event["slug"],
            status=label("event_status", event["status"]), zone=event["time_zone"],
        )
    )  # fmt: skip
    rows = []
    for track in event["tracks"]:
        for round in track["rounds"]:
            rows.append(
                [
                    named(track),
                    round["slug"],
                    named(round),
                    label("format", round["format"]),
                    round_status(round),
                    show.moment(round["opens_at"], event, named=False),
                    show.moment(round["closes_at"], event, named=False),
                    ", ".join(map(_taking_part, round["teams"])),
                ]
            )
        if not track["rounds"]:
            registered = ", ".join(map(_registered, track["teams"]))
            rows.append([named(track), "–", "", "", "", "", "", registered])
    columns = ["track", "round", "name", "format", "status", "opens", "closes", "your_team"]
    if rows:
        show.table(columns, rows, whole=["round"])
    show.say("")


def _taking_part(participation: dict) -> str:
    if participation["status"] == "active":
        return participation["code"]
    return f"{participation['code']} ({label('team_status', participation['status'])})"


def _registered(team: dict) -> str:
    return f"{team['code']} ({label('team_status', team['status'])})"


def round_status(round: dict) -> str:
    """As people mean it: an open round before its time or past its deadline takes nothing."""
    waiting = round["status"] == "open" and not round["is_accepting"]
    return label("round_status", "waiting" if waiting else round["status"])


@click.command("rules", cls=Command, help="help_rules")
@click.argument("event", metavar="EVENT")
@click.argument("round", metavar="ROUND")
@click.pass_obj
def rules(session, event, round):
    api = session.api
    event = find_event(api, event)
    round = find_round(api, event, round)
    benchmark = current_benchmark(api, round)
    quotas = [
        (participation, count_quota(api, event, round, participation))
        for participation in own_participations(api, event, round)
        if round["format"] == "automated"
    ]
    if session.as_json:
        teams = [team | {"quota": _quota_json(quota)} for team, quota in quotas]
        kinds = accepted_kinds(benchmark)
        show.dump({"event": event, "round": round, "benchmark": benchmark, "kinds": kinds,
                   "teams": teams})  # fmt: skip
        return
    show.facts(
        [
            (text("row_round"), f"{named(event)} · {named(round)} ({round['slug']})"),
            (text("row_status"), round_status(round)),
            (text("row_opens"), show.moment(round["opens_at"], event)),
            (text("row_closes"), show.moment(round["closes_at"], event)),
            *_task(round, benchmark),
            *((team["code"], _quota_line(quota, event)) for team, quota in quotas),
        ]
    )


def _task(round: dict, benchmark: dict | None) -> list[tuple[str, object]]:
    if round["format"] != "automated":
        return [(text("row_takes"), text("judged"))]
    quota = text("quota_rule", day=round["quota_per_day"], total=round["quota_total"])
    common = [
        (text("row_size"), _megabytes(round["max_upload_mb"])),
        (text("row_quota"), quota),
        (text("row_all_sizes"), _megabytes(round.get("quota_total_mb"))),
    ]
    if benchmark is None:
        return [(text("row_takes"), text("no_task_yet")), *common]
    is_table = benchmark.get("protocol", "table") == "table"
    direction = "greater" if benchmark["greater_is_better"] else "smaller"
    return [
        (text("row_takes"), _kind_names(accepted_kinds(benchmark))),
        (text("row_metric"), text(direction, metric=benchmark.get("label") or benchmark["metric"])),
        (text("row_extra"), ", ".join(benchmark["extra_metrics"])),
        (text("row_id_column"), benchmark["id_column"] if is_table else ""),
        (text("row_public"), text("public_part", percent=benchmark["public_percent"])),
        (text("row_time"), text("seconds", count=benchmark["wall_seconds"])),
        (text("row_memory"), _megabytes(benchmark["memory_mb"])),
        (text("row_disk"), _megabytes(benchmark.get("disk_mb"))),
        *common,
    ]


def _megabytes(count: int | None) -> str:
    return text("megabytes", count=count) if count else ""


def _kind_names(kinds: list[str]) -> str:
    return ", ".join(label("kind", kind) for kind in kinds)


def _quota_json(quota) -> dict:
    return asdict(quota) | {"left": quota.left, "resets_at": quota.resets_at.isoformat()}


def _quota_line(quota, event: dict) -> str:
    state = text(
        "quota_state", today=quota.used_today, day=quota.per_day, used=quota.used_total,
        total=quota.total, left=quota.left, resets=show.moment(quota.resets_at, event),
    )  # fmt: skip
    if not quota.total_bytes:
        return state
    used, total = show.size(quota.used_bytes), show.size(quota.total_bytes)
    return text("quota_with_size", state=state, used=used, total=total)


@click.command("leaderboard", cls=Command, help="help_leaderboard")
@click.argument("event", metavar="EVENT")
@click.argument("round", metavar="ROUND")
@click.option("--all", "everybody", is_flag=True, help="help_leaderboard_all")
@click.pass_obj
def leaderboard(session, event, round, everybody):
    api = session.api
    event = find_event(api, event)
    round = find_round(api, event, round)
    standing = next(api.pages("standings/", round=round["id"], audience="public"), None)
    if standing is None:
        raise Problem(text("no_board", round=named(round)))
    own = [p["team"] for p in own_participations(api, event, round)]
    rows = list(api.pages("standing-rows/", standing=standing["id"]))
    shown = rows if everybody else [
        row for place, row in enumerate(rows) if place < BOARD_ROWS or row["team"] in own
    ]  # fmt: skip
    if session.as_json:
        show.dump({"standing": standing, "count": len(rows), "rows": shown})
        return
    when = show.moment(standing["computed_at"], event)
    show.say(text("board_line", round=named(round), when=when))
    if _is_frozen(round, api.now()):
        show.say(text("board_frozen", when=show.moment(round["freeze_at"], event)))
    decimals = standing["method"].get("decimals", 2)
    show.table(
        ["rank", "team", "name", "total"],
        [
            [
                row["rank"] or "–",
                f"{row['code']} *" if row["team"] in own else row["code"],
                named(row),
                show.rounded(row["total"], decimals),
            ]
            for row in shown
        ],
        whole=["team", "total"],
        mark=[place for place, row in enumerate(shown) if row["team"] in own],
    )
    if len(shown) < len(rows):
        show.say(text("board_more", shown=len(shown), count=len(rows)))


def _is_frozen(round: dict, now: datetime) -> bool:
    frozen = round["freeze_at"] and datetime.fromisoformat(round["freeze_at"]) <= now
    return bool(frozen) and round["status"] != "published"


@click.command("sample", cls=Command, help="help_sample")
@click.argument("event", metavar="EVENT")
@click.argument("round", metavar="ROUND")
@click.option("-o", "--output", metavar="FILE", help="help_sample_output")
@click.option("--force", is_flag=True, help="help_sample_force")
@click.pass_obj
def sample(session, event, round, output, force):
    api = session.signed_in
    event = find_event(api, event)
    round = find_round(api, event, round)
    benchmark = current_benchmark(api, round)
    no_sample = Problem(text("no_sample", round=named(round)))
    if benchmark is None:
        raise no_sample
    target = Path(output or ".")
    try:
        with api.download(f"benchmarks/{benchmark['id']}/sample/") as response:
            if target.is_dir():
                target /= file_name(response, "sample.csv")
            _write(target, response, force)
    except Problem as problem:
        raise (no_sample if problem.status == 404 else problem) from None
    show.say(text("saved", path=target))


def _write(target: Path, response, force: bool) -> None:
    """Exclusively, unless told to overwrite; a new file that did not come whole is not left."""
    try:
        file = target.open("wb" if force else "xb")
    except FileExistsError:
        raise Problem(text("exists", path=target)) from None
    try:
        with file:
            for chunk in response.iter_bytes():
                file.write(chunk)
    except BaseException:
        if not force:
            with suppress(OSError):
                target.unlink()
        raise
