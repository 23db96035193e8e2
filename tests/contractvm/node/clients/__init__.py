"""Ethereum's own clients, unmodified, on a node as its users run it."""
