"""The workspaces: which panes stand where at which size of screen, and nothing else."""
