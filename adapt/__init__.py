"""Adapt: domain- and task-adaptive pretraining of an open model on a curated corpus."""
