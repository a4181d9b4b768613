"""What archdsl costs, against what it stands beside; `python -m benchmarks --help`."""
