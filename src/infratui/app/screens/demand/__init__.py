"""Measured demand: a trace or metrics pasted or named, and taken into the scenario."""
