"""infratui: LLM inference infrastructure, sized in your terminal."""

__version__ = "0.1.0"
COLLECTED = 20_000, 20, 100
"""Thresholds of the garbage collector: most objects of this program live as long as it does."""
