"""`archdsl check` of GoogLeNet against the imports it cannot do without, and against torchinfo's summary."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import Row, cpu, interleaved, peak, python, ratio

SPEC = "specs/googlenet.arch"
TORCHINFO = """
import torchinfo, torchvision
network = torchvision.models.googlenet(weights=None, init_weights=False)
print(torchinfo.summary(network, (1, 3, 224, 224), verbose=0))
"""


def rows(quick: bool) -> Iterator[Row]:
    loads = interleaved(
        {"lark": python("-c", "import lark"), "archdsl": python("-c", "import archdsl; archdsl.Compilation")},
        rounds=5 if quick else 25,
    )
    times = ratio(loads["archdsl"], loads["lark"])
    yield Row("`import archdsl`, the compiler included, over `import lark`", f"{times:.2f}x", "below 2x", times < 2)
    fast = interleaved(
        {"imports": python("-c", "import lark, click"), "check": python("-m", "archdsl", "check", SPEC)},
        rounds=5 if quick else 25,
    )
    imports, check = fast["imports"], fast["check"]
    times = ratio(check, imports)
    yield Row(
        f"`check {SPEC}` ({cpu(check) * 1e3:.0f} ms) over importing lark and click ({cpu(imports) * 1e3:.0f} ms)",
        f"{times:.2f}x", "at most 3x", times <= 3,
    )  # fmt: skip
    yield Row(f"peak memory of `check {SPEC}`", f"{peak(check):.0f} MB", "below 60 MB", peak(check) < 60)
    slow = interleaved(
        {"torchinfo": python("-c", TORCHINFO), "check": python("-m", "archdsl", "check", SPEC)},
        rounds=1 if quick else 5,
    )
    times = ratio(slow["torchinfo"], slow["check"])
    yield Row(
        f"torchinfo's summary of torchvision's GoogLeNet ({cpu(slow['torchinfo']):.1f} s) over `check`",
        f"{times:.1f}x", "at least 15x", times >= 15,
    )  # fmt: skip
