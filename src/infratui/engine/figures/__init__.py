"""Figures that explain themselves: derivations, units, headlines compared."""
