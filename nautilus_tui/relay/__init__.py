"""The bus beyond one machine: published once to Redis Streams, mirrored exactly by whoever follows.

This package must not know of engines, of the store, of HTTP or of terminals.
"""
