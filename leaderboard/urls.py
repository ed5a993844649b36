from django.urls import path

from leaderboard.views import board, desk, explained, reliability, rescoring, stage

BOARD = "e/<slug:slug>/r/<slug:round_slug>/leaderboard/"
STAGE = "e/<slug:slug>/r/<slug:round_slug>/stage/"
DESK_ROUND = "e/<slug:slug>/desk/r/<slug:round_slug>/"

urlpatterns = [
    path(BOARD, board.leaderboard, name="leaderboard"),
    path(BOARD + "table/", board.leaderboard_table, name="leaderboard-table"),
    path(BOARD + "embed/", board.leaderboard_embed, name="leaderboard-embed"),
    path(BOARD + "teams/<slug:code>/", board.leaderboard_team, name="leaderboard-team"),
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
    path(DESK_ROUND + "ranking/ties/", desk.desk_tie, name="desk-tie"),
    path(DESK_ROUND + "finalists.<str:fmt>", desk.desk_finalists, name="desk-finalists"),
    path(
        DESK_ROUND + "teams/<slug:code>/explained/", explained.desk_explained, name="desk-explained"
    ),
    path(
        DESK_ROUND + "explained.xlsx",
        explained.desk_explained_export,
        name="desk-explained-export",
    ),
    path(DESK_ROUND + "awards/", desk.desk_awards, name="desk-awards"),
    path(DESK_ROUND + "awards/act/", desk.desk_award_act, name="desk-award-act"),
]
