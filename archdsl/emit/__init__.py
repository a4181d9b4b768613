"""Emitters: a typed graph as text for others. Each takes what is checked and raises nothing."""
