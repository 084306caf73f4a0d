"""What each action does: one class per part of the registry, each a table from action id to method."""
