"""The REST API, put together from what each app registers."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.routers import SimpleRouter

from contest.api.urls import register as register_contest
from judging.api.urls import register as register_judging
from leaderboard.api.urls import register as register_leaderboard

router = SimpleRouter()
for register in (register_contest, register_judging, register_leaderboard):
    register(router)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(permission_classes=[AllowAny], url_name="api-schema"),
        name="api-docs",
    ),
    *router.urls,
]
