"""Convolutions in 1, 2 and 3 dimensions."""
