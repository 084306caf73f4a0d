"""What opens over or beside the panes: ticket, command line, help, pickers, confirmations."""
