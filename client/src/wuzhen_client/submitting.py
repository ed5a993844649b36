"""Sending a file and following what becomes of it."""

import stat
import uuid
from pathlib import Path

import click
from rich.markup import escape
from rich.progress import wrap_file

from wuzhen_client import show
from wuzhen_client.commands import Command
from wuzhen_client.competition import (
    accepted_kinds,
    choose_participation,
    current_benchmark,
    find_event,
    find_round,
    own_participations,
)
from wuzhen_client.errors import FAILED, NetworkProblem, Problem, UsageProblem
from wuzhen_client.texts import label, named, text
from wuzhen_client.watching import follow

# What a file may be by its name, likeliest first. A name that is not here may be anything.
PLAUSIBLE_KINDS = {
    ".csv": ["predictions"],
    ".onnx": ["onnx"],
    ".zip": ["code", "predictions"],
    ".gz": ["code", "container"],
    ".tgz": ["code", "container"],
    ".tar": ["container", "code"],
}
ALL_KINDS = ["predictions", "onnx", "code", "container"]
NEWEST = 20


def submission_id(ctx, param, value: str | None) -> str | None:
    try:
        return str(uuid.UUID(value)) if value else None
    except ValueError:
        raise click.BadParameter(text("bad_id"), ctx, param) from None


@click.command("submit", cls=Command, help="help_submit")
@click.argument("file", metavar="FILE")
@click.option("-e", "--event", required=True, metavar="EVENT", help="help_submit_event")
@click.option("-r", "--round", required=True, metavar="ROUND", help="help_submit_round")
@click.option("-t", "--team", metavar="CODE", help="help_submit_team")
@click.option("-k", "--kind", metavar="KIND", help="help_submit_kind")
@click.option("-n", "--note", default="", metavar="TEXT", help="help_submit_note")
@click.option("--wait", is_flag=True, help="help_submit_wait")
@click.option("--key", metavar="KEY", help="help_submit_key")
@click.pass_context
def submit(ctx, file, event, round, team, kind, note, wait, key):
    session = ctx.obj
    path = Path(file)
    count = _size_of(path)
    api = session.signed_in
    event = find_event(api, event)
    round = find_round(api, event, round)
    participation = choose_participation(own_participations(api, event, round), round, team)
    if key is None and not round["is_accepting"]:
        # A repeat is let through: the server gives what it received before the deadline.
        raise Problem(_not_accepting(round, event))
    if count > round["max_upload_mb"] * 1024 * 1024:
        raise Problem(_too_large(path, count, round))
    fields = {
        "participation": str(participation["id"]),
        "kind": kind or guess_kind(path.name, accepted_kinds(current_benchmark(api, round))),
        "note": note,
        "client_key": key or uuid.uuid4().hex,
    }
    sent = _send(api, path, count, fields)
    if not session.as_json:
        show.say(text("sent", number=sent["number"], team=sent["code"], id=sent["id"]))
    if wait:
        ctx.exit(_end_of(session, sent["id"]))
    if session.as_json:
        show.dump(sent)
    else:
        show.say(text("follow", id=sent["id"]))


def _size_of(path: Path) -> int:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Problem(text("not_a_file", path=path))
    return found.st_size


def _not_accepting(round: dict, event: dict) -> str:
    opens, closes = (
        show.moment(round[name], event) or text("no_time") for name in ("opens_at", "closes_at")
    )
    return text("round_not_accepting", round=named(round), opens=opens, closes=closes)


def _too_large(path: Path, count: int, round: dict) -> str:
    # Shown to hundredths, and never as the limit itself.
    shown = max(count / 1024 / 1024, round["max_upload_mb"] + 0.01)
    return text("too_large", file=path.name, size=f"{shown:.2f}", limit=round["max_upload_mb"])


def guess_kind(name: str, accepted: list[str]) -> str:
    """What the file is, by its name and by what the round takes.

    A name that speaks for other kinds alone is not sent as what the round takes: it could not be
    scored and would use up the quota.
    """
    plausible = PLAUSIBLE_KINDS.get(Path(name).suffix.lower(), accepted)
    fitting = [kind for kind in plausible if kind in accepted or not accepted]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and accepted:
        kinds = ", ".join(label("kind", kind) for kind in accepted)
        looks = label("kind", plausible[0])
        raise Problem(text("kind_not_taken", file=name, kind=looks, kinds=kinds))
    names = ", ".join(fitting or ALL_KINDS)
    raise UsageProblem(text("which_kind", file=name, kinds=names))


def _send(api, path: Path, count: int, fields: dict) -> dict:
    """Upload under one key, however often it takes; the file is read as it is sent."""
    console = show.console(stderr=True)
    # A name that is no valid text on this system still needs one on the way.
    name = path.name.encode("utf-8", "replace").decode()
    bar = wrap_file(
        path.open("rb"), count, description=escape(text("sending", file=show.clean(name))),
        console=console, disable=not console.is_terminal,
    )  # fmt: skip
    try:
        with bar as file:
            return api.upload("submissions/", fields, file, name)
    except NetworkProblem as problem:
        reason = text("perhaps_sent", reason=problem, key=fields["client_key"])
        raise NetworkProblem(reason, problem.status) from None


@click.command("status", cls=Command, help="help_status")
@click.argument("submission", required=False, metavar="[SUBMISSION_ID]", callback=submission_id)
@click.option("-w", "--watch", is_flag=True, help="help_status_watch")
@click.pass_context
def status(ctx, submission, watch):
    session = ctx.obj
    api = session.signed_in
    if submission is None:
        newest = _newest(api)
        if not watch:
            _print_list(session, newest)
            return
        if not newest:
            raise Problem(text("no_submissions"))
        submission = newest[0]["id"]
    if watch:
        ctx.exit(_end_of(session, submission))
    found = find_submission(api, submission)
    _print_one(session, found)
    ctx.exit(_exit_code(found))


def find_submission(api, submission: str) -> dict:
    try:
        return api.get(f"submissions/{submission}/")
    except Problem as problem:
        if problem.status == 404:
            raise Problem(text("no_submission", id=submission), 404) from None
        raise


def _end_of(session, submission: str) -> int:
    """Wait for it, show it; the exit status that it deserves."""
    ended = follow(lambda: find_submission(session.api, submission), session.sleep)
    _print_one(session, ended)
    return _exit_code(ended)


def _exit_code(submission: dict) -> int:
    return FAILED if submission["status"] in ("invalid", "failed", "withdrawn") else 0


def _newest(api) -> list[dict]:
    """Of one's own teams: organizers may see those of others as well."""
    found = []
    for team in api.get("me/")["teams"]:
        query = {"team": team["team"], "ordering": "-received_at", "page_size": NEWEST}
        found += api.get("submissions/", **query)["results"]
    return sorted(found, key=lambda s: s["received_at"], reverse=True)[:NEWEST]


def _print_list(session, submissions: list[dict]) -> None:
    if session.as_json:
        show.dump(submissions)
        return
    if not submissions:
        show.say(text("no_submissions"))
        return
    places = {s["round"]: _place(session.api, s["round"]) for s in submissions}
    zones = {event["time_zone"] for event, _round in places.values()}
    rows = []
    for submission in submissions:
        event, round = places[submission["round"]]
        rows.append(
            [
                submission["id"],
                f"{round['slug']} {_number(submission)}",
                submission["original_name"],
                show.moment(submission["received_at"], event, named=len(zones) > 1),
                state(submission),
                _public_score(submission),
            ]
        )
    columns = ["id", "submission", "file", "received", "status", "score"]
    show.table(columns, rows, whole=["id"])
    if len(zones) == 1:
        show.say(text("times_in", zone=zones.pop()))


def _place(api, round_id: int) -> tuple[dict, dict]:
    """The event and the round of a submission."""
    round = api.get(f"rounds/{round_id}/")
    return find_event(api, round["event"]), round


def state(submission: dict) -> str:
    """Its state, and while it is on its way where it stands."""
    run = submission["run"] or {}
    if submission["status"] == "received" and run.get("status") in ("queued", "running"):
        return label("run_status", run["status"])
    return label("submission_status", submission["status"])


def _number(submission: dict) -> str:
    return text("number_of", team=submission["code"], number=submission["number"])


def _public_score(submission: dict) -> str:
    scored = submission["status"] in ("scored", "withdrawn")
    return show.score(submission["run"]["public_score"]) if scored and submission["run"] else ""


def _print_one(session, submission: dict) -> None:
    if session.as_json:
        show.dump(submission)
        return
    event, round = _place(session.api, submission["round"])
    run = submission["run"] or {}
    file = text(
        "file_line", name=submission["original_name"], kind=label("kind", submission["kind"]),
        size=show.size(submission["size"]),
    )  # fmt: skip
    metrics = run.get("metrics", {}).get("public", {}) if _public_score(submission) else {}
    show.facts(
        [
            (text("row_submission"), _number(submission)),
            ("", submission["id"]),
            (text("row_round"), f"{named(event)} · {named(round)} ({round['slug']})"),
            (text("row_file"), file),
            (text("row_note"), submission["note"]),
            (text("row_received"), show.moment(submission["received_at"], event)),
            (text("row_status"), state(submission)),
            (text("row_fault"), _fault(submission)),
            (text("row_score"), _public_score(submission)),
            *((name, show.score(value)) for name, value in metrics.items()),
            (text("row_private"), show.score(run.get("private_score"))),
        ]
    )


def _fault(submission: dict) -> str:
    """In the server's words; a fault of the platform is said not to cost the team anything."""
    run = submission["run"] or {}
    if submission["status"] == "failed":
        return text("platform_failed")
    return run.get("error", "") if submission["status"] == "invalid" else ""


@click.command("log", cls=Command, help="help_log")
@click.argument("submission", metavar="SUBMISSION_ID", callback=submission_id)
@click.pass_obj
def log(session, submission):
    api = session.signed_in
    run = find_submission(api, submission)["run"]
    if run is None:
        raise Problem(text("no_run"))
    try:
        answer = api.get(f"runs/{run['id']}/log/")
    except Problem as problem:
        if problem.status == 404:
            raise Problem(text("log_missing"), 404) from None
        raise
    if session.as_json:
        show.dump(answer)
    elif not answer["log"].strip():
        raise Problem(text("log_missing"))
    else:
        click.echo(show.clean(answer["log"].rstrip("\n"), keep="\n\t"))
