"""The panes of the Risk workspace."""
