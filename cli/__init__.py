"""The command line: the only part of archdsl that prints."""
