"""Unpooling layers."""
