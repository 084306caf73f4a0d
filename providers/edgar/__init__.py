"""EDGAR: client and sandbox twin. Nothing in here may know of another provider."""
