"""The daemon: owns the truth. One door for commands, streams and questions, a store, supervision.

This package must not know of terminals or of NautilusTrader.
"""
