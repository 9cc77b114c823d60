"""Which deployment to take: candidates, the fewest GPUs, the chosen layout."""
