from django.urls import path

from contest.views import desk, home, public, signin, teams

DESK = "e/<slug:slug>/desk/"
DESK_ROUND = DESK + "r/<slug:round_slug>/"

TEAM = "e/<slug:slug>/teams/<slug:code>/"

urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", home.health, name="health"),
    path("in/<str:token>/", signin.sign_in_link, name="sign-in-link"),
    path("e/<slug:slug>/", public.event, name="event"),
    path("e/<slug:slug>/r/<slug:round_slug>/", public.round, name="round"),
    # Teams
    path("my/", teams.my_teams, name="my-teams"),
    path("e/<slug:slug>/register/", teams.register, name="team-register"),
    path(TEAM, teams.team, name="team"),
    path(TEAM + "edit/", teams.team_edit, name="team-edit"),
    path(TEAM + "entry/", teams.entry_edit, name="entry-edit"),
    path(TEAM + "files/add/", teams.entry_file_add, name="entry-file-add"),
    path(TEAM + "files/<int:pk>/", teams.entry_file, name="entry-file"),
    path(TEAM + "files/<int:pk>/remove/", teams.entry_file_remove, name="entry-file-remove"),
    path(TEAM + "invite/", teams.team_invite, name="team-invite"),
    path(TEAM + "members/<int:pk>/remove/", teams.member_remove, name="member-remove"),
    path(TEAM + "members/<int:pk>/captain/", teams.member_captain, name="member-captain"),
    path(TEAM + "withdraw/", teams.team_withdraw, name="team-withdraw"),
    path("invitations/<str:token>/", teams.invitation, name="invitation"),
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
    path(DESK + "teams/import/", desk.desk_team_import, name="desk-team-import"),
    path(
        DESK + "teams/import/table.<slug:fmt>", desk.desk_team_template, name="desk-team-template"
    ),
    path(DESK + "teams/<slug:code>/move/", desk.desk_team_move, name="desk-team-move"),
    path(DESK + "log/", desk.desk_log, name="desk-log"),
    path(DESK_ROUND, desk.desk_round, name="desk-round"),
    path(DESK_ROUND + "move/", desk.desk_round_move, name="desk-round-move"),
    path(DESK_ROUND + "order/", desk.desk_running_order, name="desk-running-order"),
]
