"""A gateway: serves a daemon's streams, read from Redis, to clients that the daemon never sees.

Any number of them on any number of machines. This package loads no engines, no store and no screen.
"""
