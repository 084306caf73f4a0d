"""Benches: the product measured on the user's own machine beside its peers in the same run.

Benches are not tests: nothing fails on a time. A bench module has ``run(scale) -> list[BenchRow]``.
"""
