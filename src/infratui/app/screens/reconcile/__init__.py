"""Reconcile: a start-up log beside the prediction."""
