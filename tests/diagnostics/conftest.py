"""The specs in `broken` are read by `test_broken_specs.py`, not as specs that should be right."""

collect_ignore_glob = ["broken/*.arch"]
