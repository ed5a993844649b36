"""Short ways to make the objects that tests start from. Each takes overrides by keyword."""

from datetime import timedelta
from decimal import Decimal
from itertools import count

from django.utils import timezone

from contest.models import (
    Entry,
    Event,
    EventRole,
    Membership,
    Participation,
    Round,
    Team,
    Track,
    User,
)
from judging.models import Assignment, Criterion, Judge, Panel, Rubric

_number = count(1)


def make_user(**fields) -> User:
    n = next(_number)
    fields.setdefault("email", f"user{n}@example.org")
    fields.setdefault("name", f"User {n}")
    password = fields.pop("password", "correct-horse-9")
    return User.objects.create_user(password=password, **fields)


def make_event(organizer=None, **fields) -> Event:
    n = next(_number)
    fields = {
        "slug": f"event-{n}",
        "name_en": f"Event {n}",
        "name_zh": f"赛事{n}",
        "status": "published",
        "registration_opens": timezone.now() - timedelta(days=30),
        "registration_closes": timezone.now() + timedelta(days=30),
        **fields,
    }
    event = Event.objects.create(**fields)
    if organizer is not None:
        EventRole.objects.create(event=event, user=organizer)
    return event


def make_track(event=None, **fields) -> Track:
    n = next(_number)
    fields = {"slug": f"track-{n}", "name_en": f"Track {n}", "name_zh": f"赛道{n}", **fields}
    return Track.objects.create(event=event or make_event(), **fields)


def make_round(track=None, **fields) -> Round:
    n = next(_number)
    track = track or make_track()
    fields = {
        "slug": f"round-{n}",
        "name_en": "Preliminary",
        "name_zh": "初赛",
        "kind": "preliminary",
        "format": "automated",
        "status": "open",
        "ordinal": track.rounds.count() + 1,
        "opens_at": timezone.now() - timedelta(days=1),
        "closes_at": timezone.now() + timedelta(days=7),
        "board": "live",
        **fields,
    }
    return Round.objects.create(track=track, **fields)


def make_team(track=None, captain=None, **fields) -> Team:
    n = next(_number)
    fields = {
        "code": f"T-{n:03}",
        "name_en": f"Team {n}",
        "name_zh": f"队伍{n}",
        "organisation_en": f"University {n}",
        "organisation_zh": f"大学{n}",
        "country": "CN",
        "status": "confirmed",
        **fields,
    }
    team = Team.objects.create(track=track or make_track(), **fields)
    Entry.objects.create(team=team, title_en=f"Project {n}", title_zh=f"项目{n}")
    if captain is not None:
        Membership.objects.create(team=team, user=captain, role="captain")
    return team


def make_participation(round=None, team=None, **fields) -> Participation:
    round = round or make_round()
    team = team or make_team(round.track)
    return Participation.objects.create(round=round, team=team, **fields)


def make_rubric(event, weights=(40, 35, 25), **fields) -> Rubric:
    rubric = Rubric.objects.create(
        event=event, **{"name_en": "Roadshow", "name_zh": "路演评分表", **fields}
    )
    for n, weight in enumerate(weights):
        Criterion.objects.create(
            rubric=rubric,
            ordinal=n,
            name_en=f"Criterion {n + 1}",
            name_zh=f"指标{n + 1}",
            weight=weight,
            minimum=0,
            maximum=10,
            step=Decimal("0.5"),
        )
    return rubric


def make_judge(event, **fields) -> Judge:
    n = next(_number)
    fields = {
        "name": f"Judge {n}",
        "organisation_en": f"Fund {n}",
        "organisation_zh": f"基金{n}",
        **fields,
    }
    user = User.objects.create_user(name=fields["name"])
    return Judge.objects.create(event=event, user=user, **fields)


def make_panel(round, judges=(), rubric=None, assign=True, **fields) -> Panel:
    """A panel of ``judges``; with ``assign`` each is to score every team now in the round."""
    panel = Panel.objects.create(
        round=round,
        rubric=rubric or make_rubric(round.event),
        **{"name_en": "Panel", "name_zh": "评审组", **fields},
    )
    panel.judges.set(judges)
    if assign:
        for participation in round.participations.all():
            for judge in judges:
                Assignment.objects.create(panel=panel, judge=judge, participation=participation)
    return panel


def set_status(thing, status: str) -> None:
    """Put a thing into a state without walking there; saves alone never write a status."""
    type(thing).objects.filter(pk=thing.pk).update(status=status)
    thing.status = status
