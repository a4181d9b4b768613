"""Layers that change the resolution or the border of a map."""
