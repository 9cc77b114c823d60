"""Pure arithmetic over facts: what fits, how fast it runs, what it costs, and why."""
