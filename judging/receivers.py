"""What judging does when contest tells or asks something."""

from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Participation, Round, Submission
from contest.signals import (
    moved,
    people_kept_out,
    ranking_inputs_changed,
    round_closing,
    submission_offered,
    submission_received,
    submission_withdrawn,
)
from contest.states import RoundStatus
from judging.models import RecordEntry, Recusal
from judging.services import panels, record, stage, ties
from judging.services.benchmarks import current_benchmark
from judging.services.runs import cancel_all, enqueue
from judging.services.telling import tell_desk, tell_hall


@receiver(submission_offered)
def require_accepted_kind(sender, round, kind, **kwargs):
    """Raise Refused for a kind of file that the round's benchmark does not take."""
    benchmark = current_benchmark(round)
    if benchmark is not None and kind not in benchmark.accepted_kinds():
        kinds = [str(Submission.Kind(name).label) for name in benchmark.accepted_kinds()]
        raise Refused(
            _("This round takes: %(kinds)s."), code="wrong_kind", params={"kinds": ", ".join(kinds)}
        )


@receiver(submission_received)
def queue_for_scoring(sender, submission, **kwargs):
    """Within the transaction that stores the submission, so that neither is without the other."""
    enqueue(submission)


@receiver(submission_withdrawn)
def stop_scoring(sender, submission, **kwargs):
    """What its team took back needs no score."""
    cancel_all(submission.runs)


@receiver(post_save, sender=Participation)
def enter_known_conflicts(sender, instance, created, raw=False, **kwargs):
    """A team brings the conflicts of interest that were declared before into the round's record."""
    if created and not raw:
        for recusal in Recusal.objects.filter(team=instance.team_id).order_by("pk"):
            record.append(
                instance.round,
                RecordEntry.Kind.RECUSED,
                judge_id=recusal.judge_id,
                participation=instance,
                by_id=recusal.declared_by_id,
                reason=recusal.reason,
            )


@receiver(people_kept_out)
def keep_judges_out(sender, event, **kwargs):
    """Judges' accounts have no address of their own; their invitations have."""
    emails = event.judges.exclude(email="").values_list("email", flat=True)
    return dict.fromkeys(map(str.lower, emails), _("Who judges in the event cannot compete in it."))


@receiver(round_closing)
def count_missing_sheets(sender, round, **kwargs):
    """Whoever closes the round is told how many sheets nobody could hand in then."""
    return panels.missing(round)


@receiver(moved, sender=Round)
def hold_the_clock(sender, thing, by, **kwargs):
    """A round that is closed has nobody on stage whose time runs."""
    if thing.status == RoundStatus.CLOSED:
        stage.hold(thing, by)


@receiver(moved, sender=Participation)
def show_who_left(sender, thing, **kwargs):
    """Desk, tablets and screen have one team less, or one more."""
    if thing.round.format == Round.Format.ROADSHOW:
        stage.tell(thing.round)
        tell_desk(thing.round_id)


@receiver(ranking_inputs_changed)
def show_how_many_sheets(sender, round, **kwargs):
    """A conflict of interest, a release, a sheet handed in: the screen counts others now."""
    if round.format == Round.Format.ROADSHOW:
        tell_hall(round)


@receiver(moved, sender=Round)
def write_head_down(sender, thing, by, **kwargs):
    """When a round is closed, decided or published, the log keeps how its record ended then."""
    if thing.status == RoundStatus.CLOSED or thing.is_decided:
        record.write_head_down(thing, by)


@receiver(moved, sender=Round)
def close_open_ties(sender, thing, by, **kwargs):
    """Once a ranking is signed off no chair decides any more."""
    if thing.status == RoundStatus.DECIDED:
        ties.close_open(thing, by)
