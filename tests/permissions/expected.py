"""What each role gets from each URL; see test_matrix.py for the letters and world.py for roles.

Order: anonymous, other_team, team, judge, recused, other_organizer, organizer, staff.
"""

ALL = "........"
SIGNED_IN = "L......."
DESK = "LFFFFF.."
TEAM = "LF.FFF.."
JUDGES = "LFF..FFF"

API_SIGNED_IN = "U......."
# Endpoints of organizers, before any object is named; and of one event's organizers.
API_ORGANIZE = "UFFFF..."
API_DESK = "UFFFFF.."
API_HIDDEN = "UFFFFN.."
API_TEAM = "UN.NNN.."


def nothing(o):
    return {}


def event(o):
    return {"slug": o.event.slug}


def of_round(o):
    return {"slug": o.event.slug, "round_slug": o.round.slug}


def preliminary(o):
    return {"slug": o.event.slug, "round_slug": o.preliminary.slug}


def teams_only(o):
    return {"slug": o.event.slug, "round_slug": o.teams_only.slug}


def team(o):
    return {"slug": o.event.slug, "code": o.team.code}


def of_team(round):
    """The team in the round of that name."""
    return lambda o: {**team(o), "round_slug": getattr(o, round).slug}


def pk(name):
    return lambda o: {"pk": getattr(o, name).pk}


def with_pk(base, name):
    return lambda o: {**base(o), "pk": getattr(o, name).pk}


def get(wanted, arguments=nothing):
    return [("GET", arguments, wanted)]


def post(wanted, arguments=nothing):
    return [("POST", arguments, wanted)]


def both(wanted, arguments=nothing):
    return get(wanted, arguments) + post(wanted, arguments)


def change(wanted, arguments, *methods):
    return [(method, arguments, wanted) for method in methods]


PAGES = {
    "home": get(ALL),
    "health": get(ALL),
    "event": get(ALL, event),
    "round": get(ALL, of_round),
    "event-results": get(ALL, event),
    "round-results": get(ALL, of_round)
    + get(ALL, lambda o: {**event(o), "round_slug": "finished"}),
    # There is no file before the result is published, for anybody.
    "round-results-file": get("NNNNNNNN", lambda o: {**of_round(o), "fmt": "json"}),
    "team-certificates": get("LFNFFFNN", of_team("round")),
    # Of a code that is none of ours.
    "verify": get("NNNNNNNN", lambda o: {"code": "1-0.abc"}),
    "leaderboard": get(ALL, preliminary) + get(ALL, of_round) + get(ALL, teams_only),
    "leaderboard-table": get(ALL, preliminary) + get(ALL, teams_only),
    "leaderboard-embed": get(ALL, preliminary) + get(ALL, teams_only),
    # Shown to teams of the round, and to organizers; to others there is nobody on it.
    "leaderboard-team": get("NN.NNN..", lambda o: {**teams_only(o), "code": o.team.code}),
    "sign-in-link": get(ALL, lambda o: {"token": o.token}),
    "my-teams": get(SIGNED_IN),
    "team-register": both("L..FF...", event),
    "team": get(TEAM, team),
    "team-edit": both(TEAM, team),
    "entry-edit": both(TEAM, team),
    "entry-file-add": post(TEAM, team),
    "entry-file": get(TEAM, with_pk(team, "entry_file")),
    "entry-file-remove": post(TEAM, with_pk(team, "entry_file")),
    "team-invite": post(TEAM, team),
    "member-remove": both(TEAM, with_pk(team, "member")),
    "member-captain": post(TEAM, with_pk(team, "member")),
    "team-withdraw": both(TEAM, team),
    "invitation": both(SIGNED_IN, lambda o: {"token": o.invitation.token}),
    "participation-submissions": get(TEAM, lambda o: {**preliminary(o), "code": o.team.code})
    + post("LF.FFFFF", lambda o: {**preliminary(o), "code": o.team.code}),
    "sample-submission": get(TEAM, lambda o: {**preliminary(o), "code": o.team.code}),
    "submission": get(TEAM, pk("submission")),
    "submission-file": get(TEAM, pk("submission")),
    "submission-withdraw": post("LF.FFFFF", pk("submission")),
    "submission-choose": post("LF.FFFFF", pk("submission")),
    "submission-cancel": post("LFFFFF..", pk("submission")),
    # The app is the same for everybody and holds nothing of anybody.
    "judge-home": get(ALL),
    "judge-worker": get(ALL),
    "judge-manifest": get(ALL),
    # There is no such page before the result is published, for anybody.
    "team-feedback": get(TEAM, of_team("finished")) + get("LFNFFFNN", of_team("round")),
    # Which team is in the form.
    "judge-conflicts": get(JUDGES) + post("LFFNNFFF"),
    "judge-file": get("LFF.NFFF", lambda o: {"pk": o.assignment.pk, "file": o.entry_file.pk}),
    "desks": get("LFFFF..."),
    "event-create": both("LFFFFFF."),
    "desk": get(DESK, event),
    "desk-event": both(DESK, event),
    "desk-event-move": post(DESK, event),
    "desk-organizer-add": post(DESK, event),
    "desk-organizer-remove": post(DESK, with_pk(event, "role")),
    "desk-tracks": both(DESK, event),
    "desk-track": both(DESK, with_pk(event, "track")),
    "desk-track-delete": post(DESK, with_pk(event, "spare_track")),
    "desk-rounds": both(DESK, event),
    "desk-teams": get(DESK, event),
    "desk-team-import": both(DESK, event),
    "desk-team-template": get(DESK, lambda o: {**event(o), "fmt": "csv"})
    + get("LFFFFFNN", lambda o: {**event(o), "fmt": "pdf"}),
    "desk-team-move": post(DESK, team),
    "desk-log": get(DESK, event),
    "desk-round": both(DESK, of_round),
    "desk-round-move": post(DESK, of_round),
    "desk-running-order": post(DESK, of_round),
    "desk-benchmark": both(DESK, preliminary),
    "desk-rescore": post(DESK, preliminary),
    "desk-submissions": get(DESK, preliminary),
    "desk-baseline": post(DESK, preliminary),
    "desk-workers": get(DESK, event),
    "desk-rescoring": get(DESK, preliminary),
    "desk-rescoring-act": post(DESK, preliminary),
    "desk-advancement": both(DESK, of_round),
    "desk-advance-act": post(DESK, of_round),
    "desk-notices": get(DESK, of_round),
    # There are none before the ranking is signed off.
    "desk-certificates": get("LFFFFFNN", of_round),
    "desk-rubrics": get(DESK, event),
    "desk-rubric-new": both(DESK, event),
    "desk-rubric": both(DESK, with_pk(event, "rubric")),
    "desk-rubric-copy": post(DESK, with_pk(event, "rubric")),
    "desk-rubric-version": post(DESK, with_pk(event, "rubric")),
    "desk-rubric-preview": get(DESK, with_pk(event, "rubric")),
    "desk-panel-rubric": both(DESK, with_pk(of_round, "panel")),
    "desk-judges": both(DESK, event),
    "desk-judge-links": post(DESK, event),
    "desk-judge": both(DESK, with_pk(event, "judge")),
    "desk-judge-link": post(DESK, with_pk(event, "judge")),
    "desk-link-revoke": post(DESK, with_pk(event, "link")),
    "desk-panel": both(DESK, of_round),
    "desk-panel-edit": both(DESK, with_pk(of_round, "panel")),
    "desk-assign-all": post(DESK, with_pk(of_round, "panel")),
    "desk-assign": post(DESK, with_pk(of_round, "panel")),
    "desk-design": both(DESK, with_pk(of_round, "panel")),
    "desk-substitute": post(DESK, with_pk(of_round, "panel")),
    "desk-panel-import": get(DESK, of_round),
    "desk-panel-import-kind": post(DESK, lambda o: {**of_round(o), "kind": "judges"}),
    "desk-panel-template": get(DESK, lambda o: {**of_round(o), "kind": "judges", "fmt": "csv"}),
    "desk-recuse": post(DESK, of_round),
    "desk-recusal-lift": post(DESK, with_pk(of_round, "recusal")),
    "desk-roadshow": get(DESK, of_round),
    "desk-roadshow-act": post(DESK, of_round),
    "desk-roadshow-settings": post(DESK, of_round),
    "desk-grid": get(DESK, of_round),
    "desk-record": get(DESK, of_round),
    "desk-record-export": [
        ("GET", lambda o, fmt=fmt: {**of_round(o), "fmt": fmt}, DESK)
        for fmt in ("csv", "xlsx", "json")
    ],
    "desk-grid-act": post(DESK, of_round),
    "desk-sheet-return": post(DESK, with_pk(of_round, "sheet")),
    # The world's stage is not open to everybody; see tests/leaderboard/test_stage_pages.py.
    "stage-screen": get("NNNNNN..", of_round),
    "stage-state": get("NNNNNN..", of_round),
    "desk-reveal": get(DESK, of_round),
    "desk-reveal-act": post(DESK, of_round),
    "desk-scheme": both(DESK, of_round),
    "desk-ranking": get(DESK, of_round),
    "desk-decide": post(DESK, of_round),
    "desk-tie": post(DESK, of_round),
    "desk-finalists": get(DESK, lambda o: {**of_round(o), "fmt": "csv"}),
    "desk-reliability": get(DESK, of_round),
    "desk-explained": get(DESK, of_team("round")),
    "desk-exports": get(DESK, of_round),
    "desk-export": get(DESK, lambda o: {**of_round(o), "document": "scores", "fmt": "xlsx"}),
    "desk-export-prepare": both(
        DESK, lambda o: {**of_round(o), "document": "scores", "fmt": "xlsx"}
    ),
    "desk-export-file": get(DESK, with_pk(of_round, "prepared")),
    "desk-awards": both(DESK, of_round),
    "desk-award-act": post(DESK, of_round),
}

API = {
    "api-schema": get(ALL),
    "api-docs": get(ALL),
    "api-auth-token": post(ALL),
    # A token is ended with the token; no session may do it.
    "api-auth-logout": post("UUUUUUUU"),
    "api-me-list": get(API_SIGNED_IN),
    "api-event-list": get(ALL) + post("UFFFFFF."),
    "api-event-detail": get(ALL, event) + change(API_DESK, event, "PATCH"),
    "api-track-list": get(ALL) + post(API_ORGANIZE),
    "api-track-detail": get(ALL, pk("track"))
    + change(API_DESK, pk("track"), "PATCH")
    + change(API_DESK, pk("spare_track"), "DELETE"),
    "api-round-list": get(ALL) + post(API_ORGANIZE),
    "api-round-detail": get(ALL, pk("round")) + change(API_DESK, pk("round"), "PATCH"),
    **{
        f"api-round-{name}": post(API_DESK, pk("round"))
        for name in ("open", "close", "reopen", "publish", "unpublish")
    },
    "api-team-list": get(ALL) + post("U..FF..."),
    "api-team-detail": get(ALL, pk("team")) + change("UF.FFF..", pk("team"), "PATCH"),
    "api-team-withdraw": post("UF.FFF..", pk("team")),
    **{
        f"api-team-{name}": post(API_DESK, pk("team"))
        for name in ("confirm", "disqualify", "reinstate")
    },
    "api-entry-list": get(API_SIGNED_IN),
    "api-entry-detail": get(API_TEAM, pk("entry")) + change(API_TEAM, pk("entry"), "PATCH"),
    "api-participation-list": get(ALL),
    "api-participation-detail": get(ALL, pk("participation")),
    "api-invitation-list": get(API_SIGNED_IN) + post(API_SIGNED_IN),
    "api-invitation-detail": get(API_TEAM, pk("invitation")),
    "api-invitation-accept": post(API_SIGNED_IN),
    "api-benchmark-list": get(ALL) + post(API_ORGANIZE),
    "api-benchmark-detail": get(ALL, pk("benchmark")) + change(API_DESK, pk("benchmark"), "PATCH"),
    "api-benchmark-rescore": post(API_DESK, pk("benchmark")),
    **{f"api-benchmark-{name}": get("UFFFFF..", pk("benchmark")) for name in ("cost", "progress")},
    **{
        f"api-benchmark-{name}": post(API_DESK, pk("benchmark"))
        for name in ("start", "adopt", "drop", "try-again")
    },
    # A version on trial is nobody's business but the organizers'.
    "api-benchmark-sample": get("U..FFF..", pk("benchmark")) + get("UNNNNN..", pk("candidate")),
    "api-submission-list": get(API_SIGNED_IN) + post(API_SIGNED_IN),
    "api-submission-detail": get(API_TEAM, pk("submission")),
    "api-submission-file": get(API_TEAM, pk("submission")),
    "api-submission-withdraw": post("UN.NNNFF", pk("submission")),
    "api-submission-choose": post("UN.NNNFF", pk("submission")),
    "api-submission-check": post(API_SIGNED_IN),
    "api-submission-baseline": post(API_ORGANIZE),
    "api-run-list": get(API_SIGNED_IN),
    # The benchmark shows logs to the team when its program fails; this run did not.
    "api-run-log": get("UNFNNN..", pk("run")),
    "api-run-cancel": post("UNFNNN..", pk("run")),
    "api-run-detail": get(API_TEAM, pk("run")),
    "api-rubric-list": get(API_SIGNED_IN) + post(API_ORGANIZE),
    "api-rubric-detail": get("UNN..N..", pk("rubric")) + change(API_HIDDEN, pk("rubric"), "PATCH"),
    "api-rubric-copy": post(API_HIDDEN, pk("rubric")),
    "api-rubric-new-version": post(API_HIDDEN, pk("rubric")),
    "api-judge-list": get(API_ORGANIZE) + post(API_ORGANIZE),
    "api-judge-detail": get(API_HIDDEN, pk("judge")) + change(API_HIDDEN, pk("judge"), "PATCH"),
    "api-judge-link": post(API_HIDDEN, pk("judge")),
    "api-judge-revoke-links": post(API_HIDDEN, pk("judge")),
    "api-panel-list": get(API_ORGANIZE) + post(API_ORGANIZE),
    "api-panel-detail": get(API_HIDDEN, pk("panel")) + change(API_HIDDEN, pk("panel"), "PATCH"),
    **{
        f"api-panel-{name}": post(API_HIDDEN, pk("panel"))
        for name in ("assign-all", "design", "substitute")
    },
    "api-tie-list": get(API_ORGANIZE) + post(API_ORGANIZE),
    "api-tie-detail": get(API_HIDDEN, pk("tie")),
    "api-tie-drop": post(API_HIDDEN, pk("tie")),
    "api-assignment-list": get(API_SIGNED_IN) + post(API_ORGANIZE),
    "api-assignment-detail": get("UNN.NN..", pk("assignment"))
    + change(API_HIDDEN, pk("assignment"), "DELETE"),
    "api-assignment-readmit": post(API_HIDDEN, pk("assignment")),
    "api-scoresheet-list": get(API_SIGNED_IN) + post(API_SIGNED_IN),
    # Organizers reach the sheets, and the service refuses what only the judge may do (409).
    "api-scoresheet-detail": get("UNN.NN..", pk("sheet"))
    + change("UNN.NN..", pk("sheet"), "PATCH"),
    "api-scoresheet-marks": post("UNN.NN..", pk("sheet")),
    "api-scoresheet-submit": post("UNN.NN..", pk("sheet")),
    "api-scoresheet-give-back": post("UNNFNN..", pk("sheet")),
    "api-tablet-list": get("UFF..FFF"),
    "api-tablet-live": get("UFF..FFF"),
    "api-tablet-outbox": post("UFF..FFF"),
    "api-tablet-code": post("UFF..FFF"),
    "api-recusal-list": get(API_SIGNED_IN) + post("UFF....."),
    "api-recusal-detail": get("UNNN.N..", pk("recusal")),
    "api-recusal-lift": post("UNNNFN..", pk("recusal")),
    "api-board-detail": get(ALL, pk("preliminary")) + get("N" * 8, pk("teams_only")),
    "api-standing-list": get(ALL),
    # The full standing of a round that is not published.
    "api-standing-detail": get("NNNNNN..", pk("standing"))
    # The public one of a leaderboard that is for the round's teams.
    + get("NN.NNN..", pk("board_standing")),
    "api-standing-file": get(
        API_HIDDEN, lambda o: {"pk": o.standing.pk, "document": "matrix", "fmt": "csv"}
    ),
    "api-prepared-file-detail": get(API_HIDDEN, pk("prepared")),
    "api-prepared-file-file": get(API_HIDDEN, pk("prepared")),
    "api-standing-row-list": get(ALL),
    "api-standing-row-explanation": get(API_HIDDEN, pk("row")),
    "api-scheme-list": get(ALL),
    "api-scheme-detail": get(ALL, lambda o: {"round": o.round.pk})
    + change(API_HIDDEN, lambda o: {"round": o.round.pk}, "PATCH"),
    "api-advancement-list": get(API_ORGANIZE) + post(API_ORGANIZE),
    "api-advancement-detail": get(API_HIDDEN, pk("advancement")),
    **{
        f"api-advancement-{name}": post(API_HIDDEN, pk("advancement"))
        for name in ("decide-tie", "sign-off", "revoke")
    },
    "api-advancement-finalists": get(API_HIDDEN, lambda o: {"pk": o.advancement.pk, "fmt": "json"}),
    "api-award-list": get(ALL) + post(API_ORGANIZE),
    "api-award-detail": get("NNNNNN..", pk("award"))
    + change(API_HIDDEN, pk("award"), "PATCH", "DELETE"),
    "api-award-allocate": post(API_ORGANIZE),
    "api-award-give": post(API_HIDDEN, pk("award")),
    "api-award-take-back": post(API_HIDDEN, pk("award")),
}

ACCOUNTS = {
    "account_login": get(ALL),
    "account_logout": get(ALL),
    "account_inactive": get(ALL),
    "account_signup": get(ALL),
    "account_email_verification_sent": get(ALL),
    "account_confirm_email": get(ALL, lambda o: {"key": "none"}),
    "account_reset_password": get(ALL),
    "account_reset_password_done": get(ALL),
    "account_reset_password_from_key": get(ALL, lambda o: {"uidb36": "1", "key": "none"}),
    "account_reset_password_from_key_done": get(ALL),
    "account_confirm_login_code": get(SIGNED_IN),
    # Nothing to ask of a judge: the account has no password.
    "account_reauthenticate": get("L..FF..."),
    "account_email": get(SIGNED_IN),
    "account_change_password": get(SIGNED_IN),
    "account_set_password": get(SIGNED_IN),
    "set_language": post(ALL),
}

EXPECTED = PAGES | API | ACCOUNTS
