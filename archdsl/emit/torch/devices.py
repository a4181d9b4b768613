"""What the emitted file of a network on several devices has: their type, and the base of the classes with several."""

MIXIN = "OnDevices"

# Laid out as ruff does it at any line length; torch's `_apply` has no types, so a variable with one stands for it.
# `_apply` is what `to`, `cuda`, `cpu`, `half`, `to_empty` and the like call, on a module and all those inside of it.
SOURCE = f'''
Device = torch.device | str | int | None


class {MIXIN}(nn.Module):
    """A module with parts on several devices; `to` and the like take those along."""

    devices: tuple[Device, ...]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        apply: Callable[..., object] = super()._apply
        apply(fn, recurse)
        marks = [None if d is None else torch.empty(0, device=d) for d in self.devices]
        self.devices = tuple(None if m is None else fn(m).device for m in marks)
        return self
'''
