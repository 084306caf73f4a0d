"""What all providers share: one way to ask over HTTP, within each provider's limits.

Nothing in here may know what a provider is asked for.
"""
