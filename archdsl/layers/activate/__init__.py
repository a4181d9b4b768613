"""Activations: element-wise functions."""
