"""Evaluate: tasks, systems, metrics, significance.

A task is a file of questions (`hinterland.eval.task`). Whatever answers questions is a
system under test (`hinterland.core.system.System`), loaded by name in
`hinterland.eval.systems`. `hinterland.eval.runner` asks and remembers,
`hinterland.eval.metrics` scores, `hinterland.eval.compare` says what the scores allow to
be said, and `hinterland.eval.contamination` looks for the test set in the training set.
"""
