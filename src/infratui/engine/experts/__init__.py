"""Experts at work: routing, their load, and how they spread over GPUs."""
