"""What may be done: limits and the gate.

This package must not know of processes, HTTP or NautilusTrader.
"""
