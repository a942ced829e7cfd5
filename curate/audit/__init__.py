"""Audit: what each filter keeps, by place."""
