"""What the daemon does about risk: limits, the monitor, breaches, the kill switch, figures, reports.

What may be asked is in `nautilus_tui.daemon.api`; how figures are computed is in `risk`.
"""
