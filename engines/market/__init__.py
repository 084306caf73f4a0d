"""Markets that feed paper engines: the simulated one and the tape of a replay. No NautilusTrader in here."""
