from django.urls import path

from leaderboard.views import (
    advance,
    board,
    certificates,
    desk,
    explained,
    exports,
    reliability,
    rescoring,
    results,
    stage,
)

BOARD = "e/<slug:slug>/r/<slug:round_slug>/leaderboard/"
STAGE = "e/<slug:slug>/r/<slug:round_slug>/stage/"
DESK_ROUND = "e/<slug:slug>/desk/r/<slug:round_slug>/"

urlpatterns = [
    path(BOARD, board.leaderboard, name="leaderboard"),
    path(BOARD + "table/", board.leaderboard_table, name="leaderboard-table"),
    path(BOARD + "embed/", board.leaderboard_embed, name="leaderboard-embed"),
    path(BOARD + "teams/<slug:code>/", board.leaderboard_team, name="leaderboard-team"),
    path("e/<slug:slug>/results/", results.event_results, name="event-results"),
    path("e/<slug:slug>/r/<slug:round_slug>/results/", results.round_results, name="round-results"),
    path(
        "e/<slug:slug>/r/<slug:round_slug>/results.<str:fmt>",
        results.round_results_file,
        name="round-results-file",
    ),
    path(
        "e/<slug:slug>/teams/<slug:code>/r/<slug:round_slug>/certificates.pdf",
        certificates.team_certificates,
        name="team-certificates",
    ),
    path("verify/<str:code>/", certificates.verify, name="verify"),
    path(STAGE, stage.stage_screen, name="stage-screen"),
    path(STAGE + "state/", stage.stage_state, name="stage-state"),
    path(DESK_ROUND + "reveal/", stage.desk_reveal, name="desk-reveal"),
    path(DESK_ROUND + "reveal/act/", stage.desk_reveal_act, name="desk-reveal-act"),
    path(DESK_ROUND + "versions/", rescoring.desk_rescoring, name="desk-rescoring"),
    path(DESK_ROUND + "versions/act/", rescoring.desk_rescoring_act, name="desk-rescoring-act"),
    path(DESK_ROUND + "scheme/", desk.desk_scheme, name="desk-scheme"),
    path(DESK_ROUND + "ranking/", desk.desk_ranking, name="desk-ranking"),
    path(DESK_ROUND + "reliability/", reliability.desk_reliability, name="desk-reliability"),
    path(DESK_ROUND + "ranking/decide/", desk.desk_decide, name="desk-decide"),
    path(DESK_ROUND + "advancement/", advance.desk_advancement, name="desk-advancement"),
    path(DESK_ROUND + "advancement/act/", advance.desk_advance_act, name="desk-advance-act"),
    path(DESK_ROUND + "notices/", advance.desk_notices, name="desk-notices"),
    path(DESK_ROUND + "certificates.pdf", certificates.desk_certificates, name="desk-certificates"),
    path(DESK_ROUND + "ranking/ties/", desk.desk_tie, name="desk-tie"),
    path(DESK_ROUND + "exports/", exports.desk_exports, name="desk-exports"),
    path(
        DESK_ROUND + "exports/<slug:document>.<slug:fmt>", exports.desk_export, name="desk-export"
    ),
    path(
        DESK_ROUND + "exports/<slug:document>.<slug:fmt>/prepare/",
        exports.desk_export_prepare,
        name="desk-export-prepare",
    ),
    path(
        DESK_ROUND + "exports/files/<uuid:pk>/", exports.desk_export_file, name="desk-export-file"
    ),
    path(
        DESK_ROUND + "finalists.<str:fmt>",
        exports.desk_export,
        {"document": "finalists"},
        name="desk-finalists",
    ),
    path(
        DESK_ROUND + "teams/<slug:code>/explained/", explained.desk_explained, name="desk-explained"
    ),
    path(DESK_ROUND + "awards/", desk.desk_awards, name="desk-awards"),
    path(DESK_ROUND + "awards/act/", desk.desk_award_act, name="desk-award-act"),
]
