"""The comparison: the pinned scenario beside the current one."""
