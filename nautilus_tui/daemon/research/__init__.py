"""What the daemon does about facts of the world: asks providers by the clock, stores, tells, watches.

Nothing in here may know of HTTP or of terminals.
"""
