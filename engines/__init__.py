"""What trades: supervision, the link protocol, the market model and the code inside an engine process.

This package must not know of terminals or HTTP.
"""
