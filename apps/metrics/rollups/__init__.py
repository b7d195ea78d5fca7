"""Sums and slots by local day and one dimension, kept in step with the facts. See docs/decisions/0003-rollups.md."""
