"""The grammars that archdsl reads: `arch.lark` is the whole surface of the language."""
