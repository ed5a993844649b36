from django.core.management.base import BaseCommand

from contest.models import EventRole, Membership, User
from contest.services.signin import link_url, make_link
from contest.states import RoundStatus
from judging.models import Assignment, Judge


class Command(BaseCommand):
    help = "Make and print one one-time sign-in link for each role, for trying the platform out."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=1, help="days the links are good for")

    def handle(self, *args, days, **options):
        for role, user, event in self.people():
            _link, token = make_link(user, event, by=None, valid_days=days)
            self.stdout.write(f"{role + ':':<13}{link_url(token)}  ({user.name})")

    def people(self):
        """One (role, user, event) for each role, each where there is something to do."""
        organizer = EventRole.objects.select_related("user", "event").last()
        if organizer is not None:
            yield "organizer", organizer.user, organizer.event
        open_work = Assignment.objects.filter(
            participation__round__status=RoundStatus.OPEN, scoresheet=None
        ).values("judge")
        judge = Judge.objects.filter(pk__in=open_work).last() or Judge.objects.last()
        if judge is not None:
            yield "judge", judge.user, judge.event
        member = (
            Membership.objects.filter(
                role=Membership.Role.CAPTAIN,
                team__participations__round__status=RoundStatus.OPEN,
                team__participations__round__format="automated",
            )
            .select_related("user", "team__event")
            .last()
        )
        if member is not None:
            yield "team member", member.user, member.team.event
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        if staff is not None:
            yield "staff", staff, None
