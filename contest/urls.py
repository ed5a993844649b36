from django.urls import path

from contest.views import desk, home

DESK = "e/<slug:slug>/desk/"
DESK_ROUND = DESK + "r/<slug:round_slug>/"

urlpatterns = [
    path("", home.home, name="home"),
    # Organizers
    path("desk/", desk.desks, name="desks"),
    path("desk/new/", desk.event_create, name="event-create"),
    path(DESK, desk.desk, name="desk"),
    path(DESK + "event/", desk.desk_event, name="desk-event"),
    path(DESK + "event/move/", desk.desk_event_move, name="desk-event-move"),
    path(DESK + "organizers/add/", desk.desk_organizer_add, name="desk-organizer-add"),
    path(
        DESK + "organizers/<int:pk>/remove/",
        desk.desk_organizer_remove,
        name="desk-organizer-remove",
    ),
    path(DESK + "tracks/", desk.desk_tracks, name="desk-tracks"),
    path(DESK + "tracks/<int:pk>/", desk.desk_track, name="desk-track"),
    path(DESK + "tracks/<int:pk>/delete/", desk.desk_track_delete, name="desk-track-delete"),
    path(DESK + "rounds/", desk.desk_rounds, name="desk-rounds"),
    path(DESK + "teams/", desk.desk_teams, name="desk-teams"),
    path(DESK + "teams/<slug:code>/move/", desk.desk_team_move, name="desk-team-move"),
    path(DESK + "log/", desk.desk_log, name="desk-log"),
    path(DESK_ROUND, desk.desk_round, name="desk-round"),
    path(DESK_ROUND + "move/", desk.desk_round_move, name="desk-round-move"),
    path(DESK_ROUND + "order/", desk.desk_running_order, name="desk-running-order"),
]
