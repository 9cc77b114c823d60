"""A model as its architecture, and what each part of it costs."""
