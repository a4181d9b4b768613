"""Nothing of a spec becomes code but what it names: whatever its texts say, the emitted code is the same."""

from __future__ import annotations

import ast

import pytest

from archdsl.compiler import Compilation

SPEC = """
block part(mode="linear") {{
  {doc}
  conv(8, 3)
  init conv: kaiming_normal(nonlinearity=mode)
}}
network Net {{
  {doc}
  input x: [3, H, W]
  part
}}
"""
TEXTS = (
    '\\"\\"\\"\\nimport os  # ',
    '\\"\\"\\" + __import__(\\"os\\").getcwd() + \\"\\"\\"',
    "\\\\",
    'ends with a quote\\"',
    "ends with a backslash \\\\",
    "{x} %s $x `x` \\u0000 \\u2028 \\ud7ff é",
    "\\n\\n  indented\\n",
)


def emitted(doc: str, path: str = "net.arch") -> str:
    return Compilation.from_text(SPEC.format(doc=f'"{doc}"'), path).compile()


def code(text: str) -> str:
    """The text's syntax without its docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


@pytest.mark.parametrize("doc", TEXTS)
def test_docs(doc: str) -> None:
    assert code(emitted(doc)) == code(emitted("Plain."))


@pytest.mark.parametrize("path", ["a\nimport os\n.arch", 'a"""; import os.arch', "a\\", "a'.arch", "é\u2028\x00.arch"])
def test_file_names(path: str) -> None:
    assert code(emitted("Plain.", path)) == code(emitted("Plain."))


@pytest.mark.parametrize("value", ['x\\"); import os; (\\"', "__import__", "\\n"])
def test_strings_are_arguments_that_were_checked(value: str) -> None:
    text = SPEC.format(doc='"Plain."').replace('"linear"', f'"{value}"')
    assert [found.code for found in Compilation.from_text(text).diagnostics] == ["E0202"]
