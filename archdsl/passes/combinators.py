"""The combinators by name: what each does is elaboration's matter."""

VALUE_JOINS = ("add", "concat", "mul")  # also of values by name: `add(a, b)`
JOINS = (*VALUE_JOINS, "parallel")
SKIPS = {"residual": "add", "dense": "concat", "gate": "mul"}  # each with the join that it ends in
PROJECTED = ("residual", "gate")  # those whose other side may go through a projection
BROADCASTING = {"add": "mul", "residual": "gate"}  # by what refuses dims of 1, where others are larger
COMBINATORS = (*JOINS, *SKIPS)
