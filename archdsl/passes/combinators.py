"""The combinators by name: what each does is elaboration's matter."""

VALUE_JOINS = ("add", "concat", "mul")  # also of values by name: `add(a, b)`
JOINS = (*VALUE_JOINS, "parallel")
SKIPS = {"residual": "add", "dense": "concat", "gate": "mul"}  # each with the join that it ends in
COMBINATORS = (*JOINS, *SKIPS)
