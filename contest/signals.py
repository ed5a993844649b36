"""What contest tells and asks the apps above it, which it may not import."""

from django.dispatch import Signal

# Sent before a file is kept; a receiver refuses by raising Refused. kwargs: round, kind.
submission_offered = Signal()
# Sent inside the transaction that stored it. kwargs: submission.
submission_received = Signal()
# Sent inside the transaction that withdrew it. kwargs: submission.
submission_withdrawn = Signal()
# Sent before a round's result is published; a receiver refuses by raising Refused. kwargs: round.
round_publishing = Signal()
# Asked before a round is closed: a receiver returns how many score sheets would be locked out.
# kwargs: round.
round_closing = Signal()
# Asked before people join a team: a receiver returns {e-mail address: why that person must not
# compete in the event}. kwargs: event.
people_kept_out = Signal()
# Sent when anything that a round's ranking is made of may have changed. kwargs: round.
ranking_inputs_changed = Signal()
# Sent inside the transaction of a state machine's move, once it is in the log. The sender is the
# model. kwargs: thing, before, by.
moved = Signal()
