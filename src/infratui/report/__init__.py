"""Results as words: summaries, plain text, Markdown, JSON and CSV; the same words the screens use."""
