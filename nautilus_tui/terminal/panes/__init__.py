"""Panes: each turns one part of the mirror into what is seen. No I/O and no business rules here."""
