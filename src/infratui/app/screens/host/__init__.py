"""Your hardware: a listing pasted or named, and taken into the scenario."""
