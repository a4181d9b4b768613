"""The names that a submodule cannot have are those that PyTorch's modules use themselves."""

from torch import nn

from archdsl.passes.elaborate.pythonic import CONTAINER_ATTRIBUTES, MODULE_ATTRIBUTES
from archdsl.validate import standins


def test_every_attribute_of_a_module_is_known() -> None:
    """Those of other versions of PyTorch may be among ours, but none of this one's is missing."""
    here = {name for name in dir(nn.Module()) if not name.startswith("__")}
    assert here - MODULE_ATTRIBUTES == set()
    assert {"forward", "training", "parameters", "to", "_modules"} <= here & MODULE_ATTRIBUTES


def test_every_attribute_of_a_container_is_known() -> None:
    known: set[str] = set()
    for container, standin in ((nn.Sequential, standins.Sequential), (nn.ModuleDict, standins.ModuleDict)):
        own = {name for name in set(dir(container())) - set(dir(nn.Module())) if not name.startswith("__")}
        assert own == standin.__taken__
        known |= own
    assert known == CONTAINER_ATTRIBUTES
