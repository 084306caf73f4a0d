"""The command line: every capability with a human and a JSON form, and stable exit codes.

Modules are named after what they are about (``orders``, ``engines``, ``market`` …); ``main`` puts
them together and ``output`` owns stdout, stderr and exit codes. Commands import what they need when
they run, because a command line that asks one question must not load a terminal or an engine.
"""
