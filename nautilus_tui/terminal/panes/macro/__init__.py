"""The panes of the Macro workspace: what they show of series, curve, regime and calendar."""
