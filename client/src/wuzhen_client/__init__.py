"""Command-line client of the Wuzhen competition platform."""

__version__ = "0.1.0"
