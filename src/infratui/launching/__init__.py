"""The command that starts what was sized, by engine and version, and the manifests that hold it; and back again."""
