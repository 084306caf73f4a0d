"""How likely a limit is breached soon: the model, what it is computed from, and how well it does.

This package must not know of processes, HTTP or where samples are kept.
"""
