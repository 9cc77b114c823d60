"""Everything that reaches into Textual's private names, and why."""
