"""What `archdsl new` starts from, a spec of its own or a copy of one that comes with archdsl; and the names."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from archdsl.cli.files import SUFFIX
from archdsl.cli.output import Failure
from archdsl.compiler import Compilation, errors_of
from archdsl.diagnostics.fix import Edit, edited
from archdsl.diagnostics.suggest import did_you_mean
from archdsl.passes.load import shipped
from archdsl.show.columns import Column, laid_out
from archdsl.source import Span
from archdsl.syntax import tree

OWN = Path(__file__).with_name("start.arch")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def names(name: str) -> tuple[str, str]:
    """The stem of a file and the name of a network: `my_net` and `MyNet` for any of my_net, my-net and MyNet.

    Raises Failure for a name that cannot be made into them.
    """
    if _NAME.fullmatch(name) is None:
        near = _possible(name)
        hint = f"; did you mean `{near}`?" if near else ""
        raise Failure(
            f"`{name}` cannot be the name of a network: it takes letters, digits, _ and -, a letter first{hint}"
        )
    words = [word for word in re.split("[_-]+", name) if word]
    parts = [part for word in words for part in re.split(r"(?<=[a-z0-9])(?=[A-Z])", word)]
    return "_".join(parts).lower(), "".join(word[0].upper() + word[1:] for word in words)


def _possible(name: str) -> str | None:
    """The nearest name that is possible: `net_3d` for 3d_net, `my_net` for models/my_net.arch."""
    parts = unicodedata.normalize("NFKD", name.replace("\\", "/").rpartition("/")[2].removesuffix(SUFFIX))
    plain = "".join(char for char in parts if not unicodedata.combining(char))  # ü is a u with a mark
    words = re.findall(r"[A-Za-z0-9]+", plain) if plain.isascii() else []
    words.sort(key=lambda word: word[0].isdigit())  # those that cannot come first come last
    return "_".join(words) if words and words[0][0].isalpha() else None


def start(network: str, like: str | None) -> str:
    """The text of a new spec whose first network has that name. Raises Failure."""
    path = OWN if like is None else _shipped(like)
    text = _renamed(Compilation.from_path(path), network)
    wrong = errors_of(Compilation.from_text(text, "new.arch").diagnostics)
    if wrong:
        raise Failure(f"{wrong[0].message}; another name would do, such as `{network}Net`")
    return text


def known() -> dict[str, str]:
    """The shipped specs that have a network, each with the first sentence of the comment that it opens with."""
    paths = sorted(shipped().glob(f"*{SUFFIX}"), key=lambda path: [int(n) if n.isdigit() else n for n in _split(path)])
    texts = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    return {stem: _about(text) for stem, text in texts.items() if re.search(r"^network\b", text, re.MULTILINE)}


def _split(path: Path) -> list[str]:
    """Digits apart from the rest, so that vgg11 comes before vgg_blocks and densenet121 before densenet1000."""
    return re.split(r"(\d+)", path.stem)


def _about(text: str) -> str:
    comment = re.match(r"(?:#[^\n]*\n)+", text)
    words = " ".join(line.lstrip("# ") for line in comment[0].splitlines()) if comment else ""
    return re.split(r"\.(?:\s|$)", words)[0]


def _shipped(name: str) -> Path:
    """The file of a shipped spec. Raises Failure."""
    path, there = shipped() / f"{name}{SUFFIX}", known()
    if name in there:
        return path
    if re.fullmatch(r"\w+", name) and path.is_file():
        raise Failure(f"`{name}` has blocks but no network; a spec uses them by `from zoo.{name} import …`")
    near = did_you_mean(name, there)
    hint = f"did you mean `{near}`?" if near else f"there are {', '.join(there)}"
    raise Failure(f"no spec that comes with archdsl is called `{name}`; {hint}")


def listed(width: int) -> str:
    """The shipped specs, a line for each, in that many columns."""
    columns = [Column("spec"), Column("what it is", least=20)]
    return "\n".join(laid_out(columns, list(known().items()), width))


def _renamed(spec: Compilation, network: str) -> str:
    """The text of a file for another place: its first network renamed, files beside it imported from the zoo."""
    assert spec.unit is not None, "what comes with archdsl can be read"
    source, first = spec.unit.tree.source, spec.definition().node
    edits = [Edit(first.name_span, network)]
    for node in spec.unit.tree.imports:
        if node.quoted:
            edits.append(Edit(node.path_span, f"zoo.{node.path.removesuffix(SUFFIX)}"))
    for definition in spec.unit.tree.definitions:
        claims = (each for each in definition.body.statements if isinstance(each, tree.Expect))
        for name in (each for claim in claims for each in tree.descendants(claim)):
            if isinstance(name, tree.Name) and name.name == first.name:
                edits.append(Edit(name.span, network))
    return edited(Span(source, 0, len(source.text)), edits)
