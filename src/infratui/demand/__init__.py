"""Readers of measured demand: metrics of running servers and traces of requests, told apart by their content."""
