"""What may be done and what it risks: limits and the gate, measures of risk, backtests, performance.

This package must not know of processes, HTTP or NautilusTrader.
"""
