"""Dense layers, over the last axis."""
