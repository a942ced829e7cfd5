"""Evaluate: tasks, systems, metrics, significance."""
