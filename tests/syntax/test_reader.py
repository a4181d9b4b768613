"""The cache can only save time: without it, with a broken one, or nowhere to put it, files are read all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl.grammars as grammars
from archdsl.syntax import reader

GRAMMAR = Path(grammars.__file__).with_name("arch.lark")


def works(made: reader.Reader) -> bool:
    return made.lark.parse("block a { relu }") is None and made.builder.definitions[0].name == "a"


def test_the_cache_is_written_and_used(tmp_path: Path) -> None:
    cache = tmp_path / "arch.lark"
    assert works(reader.Reader(GRAMMAR, cache))
    written = cache.read_bytes()
    assert works(reader.Reader(GRAMMAR, cache))
    assert cache.read_bytes() == written


@pytest.mark.parametrize("broken", [b"", b"\0" * 100, b"not a digest\n\x80\x05."])
def test_a_corrupt_cache_is_written_anew(tmp_path: Path, broken: bytes) -> None:
    cache = tmp_path / "arch.lark"
    cache.write_bytes(broken)
    assert works(reader.Reader(GRAMMAR, cache))
    assert len(cache.read_bytes()) > 10_000


def test_a_truncated_cache_is_written_anew(tmp_path: Path) -> None:
    cache = tmp_path / "arch.lark"
    reader.Reader(GRAMMAR, cache)
    whole = cache.read_bytes()
    cache.write_bytes(whole[: len(whole) // 2])
    assert works(reader.Reader(GRAMMAR, cache))
    assert len(cache.read_bytes()) > 0.9 * len(whole)


@pytest.mark.parametrize("place", [None, "missing/arch.lark", "."])
def test_nowhere_to_write(tmp_path: Path, place: str | None) -> None:
    assert works(reader.Reader(GRAMMAR, tmp_path / place if place else None))
