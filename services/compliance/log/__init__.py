"""The evidence log: its tree, its single writer, its checkpoints, and who else looks at it."""
