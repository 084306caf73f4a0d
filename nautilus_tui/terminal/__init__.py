"""The terminal: a Textual application that looks at the daemon and commands it, and owns nothing.

It reaches the rest of the house only through the public API client and ``data.records``.
"""
