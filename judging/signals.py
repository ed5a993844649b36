"""What judging tells the apps above it, which it may not import."""

from django.dispatch import Signal

# Sent once what everybody in the hall may see of a round has changed and is stored: who is on
# stage, the clock, how many sheets are in. kwargs: round.
hall_changed = Signal()
# Asks what of a round's signed results is not what its record says; receivers return a list of
# sentences. kwargs: round, signed ({advancement: digest, or "" once it was revoked}).
record_checked = Signal()
