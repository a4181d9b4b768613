"""The text of a new spec: the small classifier beside this file, or a copy of a shipped spec, under another name."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from archdsl.cli.output import Failure
from archdsl.diagnostics import Sink, did_you_mean
from archdsl.passes.elaborate.pythonic import bad_class_name
from archdsl.passes.load import shipped
from archdsl.source import Source
from archdsl.syntax import parse, tree


def file_name(name: str) -> str:
    """`my_net.arch` for `my_net`, `my-net` and `MyNet`; a name that ends in .arch stays as it is."""
    if name.endswith(".arch"):
        return name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return f"{re.sub(r'[^0-9A-Za-z]+', '_', words).strip('_').lower()}.arch"


def network_name(name: str) -> str:
    """`MyNet` for `my_net`, `my-net.arch` and `MyNet`. Raises Failure if no network can have it."""
    words = re.split(r"[^0-9A-Za-z]+", name.removesuffix(".arch"))
    found = "".join(word[:1].upper() + word[1:] for word in words)
    if not found[:1].isalpha() or not found.isascii():
        hint = f"; `Net{found}` would do" if found.isascii() and found.isalnum() else ""
        raise Failure(f"`{name}` is no name for a network: one begins with a letter from A to Z{hint}")
    bad = bad_class_name(found)
    if bad is not None:
        raise Failure(f"no network can be called `{found}`: {bad}; `{found}Net` would do")
    return found


def starters() -> list[str]:
    """The shipped specs that define a network."""
    heads = ((path.stem, path.read_text(encoding="utf-8")) for path in shipped().glob("*.arch"))
    return sorted(stem for stem, text in heads if re.search(r"^network ", text, re.MULTILINE))


def starter(name: str, like: str | None) -> str:
    """The text of a spec whose first network has the name. Raises Failure if there is nothing to be `like`."""
    if like is None:
        return _renamed(resources.files("archdsl.cli").joinpath("starter.arch").read_text(encoding="utf-8"), name)
    known = starters()
    if like not in known:
        near = did_you_mean(like.lower(), known)
        raise Failure(
            f"no spec that comes with archdsl is called `{like}`; "
            + (f"did you mean `{near}`?" if near else f"there are {', '.join(known)}")
        )
    text = Path(shipped(), f"{like}.arch").read_text(encoding="utf-8")
    return re.sub(r'^from "(\w+)\.arch"', r"from zoo.\1", _renamed(text, name), flags=re.MULTILINE)


def _renamed(text: str, name: str) -> str:
    """The text with another name for its first network, there and where claims speak of it.

    Raises Failure if another network has that name.
    """
    file = parse(Source("", text), Sink())
    network = next(each for each in file.definitions if each.kind == "network")
    if any(each.name == name for each in file.definitions if each is not network):
        raise Failure(f"the spec that is copied has another network `{name}`; choose another name")
    spans = [network.name_span]
    for definition in file.definitions:
        for node in tree.descendants(definition):
            if isinstance(node, tree.Name) and node.name == network.name:
                spans.append(node.span)
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        text = text[: span.start] + name + text[span.end :]
    return text
