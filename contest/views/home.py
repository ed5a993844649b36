from django.shortcuts import render

from contest.models import Event


def home(request):
    """All events the visitor may see."""
    events = Event.objects.visible_to(request.user)
    return render(request, "contest/home.html", {"events": events})
