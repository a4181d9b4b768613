"""archdsl: a declarative language for neural-network architectures, and its compiler to PyTorch.

    net = archdsl.load("specs/resnet50.arch", classes=10)   # a live nn.Module
    archdsl.open("specs/resnet50.arch")                     # picture and table in a notebook, the table at a prompt
    spec = archdsl.Compilation.from_path("specs/resnet50.arch")
    spec.ok, spec.diagnostics, spec.compile()

Importing this package costs next to nothing: each name is looked up when it is first used, and only `load` needs torch.
"""

__version__ = "0.1.0"
__all__ = ["Compilation", "InternalError", "SpecError", "UsageError", "__version__", "load", "open"]

TYPE_CHECKING = False  # `typing` has it too, but takes as long to import as all the rest here
if TYPE_CHECKING:
    from archdsl.compiler import Compilation, InternalError, SpecError, UsageError
    from archdsl.runtime.load import load
    from archdsl.show.opened import open
else:
    _HOMES = {
        "Compilation": "archdsl.compiler",
        "InternalError": "archdsl.compiler",
        "SpecError": "archdsl.compiler",
        "UsageError": "archdsl.compiler",
        "load": "archdsl.runtime.load",
        "open": "archdsl.show.opened",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'archdsl' has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
