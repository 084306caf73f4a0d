"""What people touch: configuration, daemon, command line and terminal."""
