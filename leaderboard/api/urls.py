from leaderboard.api import views


def register(router) -> None:
    """Add this app's endpoints to the API's router."""
    router.register("standings", views.StandingViewSet, "api-standing")
    router.register("prepared-files", views.PreparedFileViewSet, "api-prepared-file")
    router.register("standing-rows", views.StandingRowViewSet, "api-standing-row")
    router.register("boards", views.BoardViewSet, "api-board")
    router.register("schemes", views.SchemeViewSet, "api-scheme")
    router.register("advancements", views.AdvancementViewSet, "api-advancement")
    router.register("awards", views.AwardViewSet, "api-award")
