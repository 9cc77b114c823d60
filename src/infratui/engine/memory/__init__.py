"""What a GPU holds: weights, KV cache, runtime, and what a serving engine makes of the rest."""
