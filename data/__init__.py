"""What is known: the vocabulary, topics, bus, journal, history and state.

This package must not know of processes, HTTP, the terminal or NautilusTrader.
"""
