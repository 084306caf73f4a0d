"""Settings: what can be told to the workstation, with defaults, constraints and the reasons for refusals.

``settings`` declares every key; ``document`` finds keys in a file's text; ``load`` lays the user's
file over the defaults; ``listing`` writes the file of defaults and the schema; ``apply`` turns
settings into what the parts take. Nothing in here may import textual, litestar or NautilusTrader.
"""
