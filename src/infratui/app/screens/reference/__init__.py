"""The reference: terms, pages, tables and decision trees, read and followed by keyboard."""
