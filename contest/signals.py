"""What contest tells the apps above it, which it may not import."""

from django.dispatch import Signal

# Sent inside the transaction that stored it. kwargs: submission.
submission_received = Signal()
# Sent when anything that a round's ranking is made of may have changed. kwargs: round.
ranking_inputs_changed = Signal()
