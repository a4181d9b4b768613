"""The passes: reading files and their imports, elaboration, and the tables beside the typed graph."""
