"""Widgets that know how to draw, and nothing of engines, orders or the network."""
