from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from contest.models import Event


def home(request):
    """All events the visitor may see."""
    events = Event.objects.visible_to(request.user)
    return render(request, "contest/home.html", {"events": events})


@never_cache
def health(request):
    """For load balancers and monitors: whether this process serves and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")
