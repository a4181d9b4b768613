"""The zoo: classic architectures as `.arch` files. Each states its claims, and `from zoo import …` reaches it."""
