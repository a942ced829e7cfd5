"""Adapt: domain- and task-adaptive pretraining."""
