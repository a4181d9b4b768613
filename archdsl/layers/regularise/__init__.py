"""Regularisation: active in training only."""
