"""Which names a module of PyTorch can have."""

from __future__ import annotations

import keyword

from archdsl.layers.helpers import HELPERS

# Attributes of torch.nn.Module (dir(nn.Module()) without the names that start with two underscores); a test holds this
# against torch. A submodule of such a name would break the module or be refused by `add_module`.
MODULE_ATTRIBUTES = frozenset(
    [
        "T_destination",
        "_apply",
        "_backward_hooks",
        "_backward_pre_hooks",
        "_buffers",
        "_call_impl",
        "_compiled_call_impl",
        "_forward_hooks",
        "_forward_hooks_always_called",
        "_forward_hooks_with_kwargs",
        "_forward_pre_hooks",
        "_forward_pre_hooks_with_kwargs",
        "_get_backward_hooks",
        "_get_backward_pre_hooks",
        "_get_name",
        "_is_full_backward_hook",
        "_load_from_state_dict",
        "_load_state_dict_post_hooks",
        "_load_state_dict_pre_hooks",
        "_maybe_warn_non_full_backward_hook",
        "_modules",
        "_named_members",
        "_non_persistent_buffers_set",
        "_parameters",
        "_register_load_state_dict_pre_hook",
        "_register_state_dict_hook",
        "_replicate_for_data_parallel",
        "_save_to_state_dict",
        "_slow_forward",
        "_state_dict_hooks",
        "_state_dict_pre_hooks",
        "_version",
        "_wrapped_call_impl",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)
# What nn.Sequential and nn.ModuleDict have beyond that. Plain sequences are written as these, so none of them has a
# submodule of such a name.
CONTAINER_ATTRIBUTES = frozenset(
    {"_get_item_by_idx", "append", "extend", "insert", "pop"} | {"clear", "items", "keys", "pop", "update", "values"}
)
# Python's own functions and classes that emitted code may call.
BUILTINS = frozenset(
    {"ValueError", "abs", "bool", "enumerate", "float", "int", "isinstance", "len", "list", "max", "min", "range"}
    | {"round", "str", "sum", "super", "tuple", "zip"}
)
# Names that the emitted file uses for itself.
FILE_NAMES = frozenset(
    {"torch", "nn", "F", "Tensor", "NamedTuple", "OrderedDict", "Sequence", "Device", "check_sizes", "math"}
    | {"Callable", "OnDevices", "Self"}
    | {"None", "True", "False"}
    | BUILTINS
)


def bad_module_name(name: str) -> str | None:
    """Why a submodule cannot have this name, or None."""
    if not name.isidentifier() or not name.isascii():
        return "a module's name is a Python name of ASCII letters, digits and underscores"
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if name in MODULE_ATTRIBUTES or name == "devices":
        return f"every nn.Module has `{name}` for something else"
    if name.startswith("__"):
        return "Python keeps names that start with two underscores for itself"
    return None


def bad_variable_name(name: str) -> str | None:
    """Why a parameter, constant or loop variable cannot have this name, or None. Keywords and such are renamed."""
    return "Python keeps names that start with two underscores for itself" if name.startswith("__") else None


def bad_field_name(name: str) -> str | None:
    """Why a field of the named tuple that a class returns cannot have this name, or None."""
    if name.startswith("_"):
        return "a field of a tuple starts with a letter"
    return f"every tuple has `{name}` for something else" if name in ("count", "index") else None


def bad_class_name(name: str) -> str | None:
    """Why a network's class cannot have this name, or None."""
    if not name.isidentifier() or not name.isascii():
        return "a class's name is a Python name of ASCII letters, digits and underscores"
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    used = name in FILE_NAMES or name in HELPERS or name.startswith("__")
    return "the emitted file uses it for something else" if used else None
