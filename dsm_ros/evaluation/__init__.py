"""Evaluation, ablations and benchmarks: metrics, tables and plots."""
