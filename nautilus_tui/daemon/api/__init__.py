"""The HTTP API: questions answered from the store, the bus and the history; changes through the door.

This package must not decide anything: it turns requests into questions and commands, and answers
into JSON or msgpack.
"""
