"""The code that runs inside an engine process; the only place, with backtests, that knows NautilusTrader.

Nothing outside this package imports it; the daemon speaks to it over the link.
"""
