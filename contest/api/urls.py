from contest.api import views


def register(router) -> None:
    """Add this app's endpoints to the API's router."""
    router.register("auth", views.AuthViewSet, "api-auth")
    router.register("me", views.MeViewSet, "api-me")
    router.register("events", views.EventViewSet, "api-event")
    router.register("tracks", views.TrackViewSet, "api-track")
    router.register("rounds", views.RoundViewSet, "api-round")
    router.register("teams", views.TeamViewSet, "api-team")
    router.register("entries", views.EntryViewSet, "api-entry")
    router.register("participations", views.ParticipationViewSet, "api-participation")
    router.register("invitations", views.InvitationViewSet, "api-invitation")
