"""What the emitted file of a network on several devices has: their type, and the base of the classes with several."""

MIXIN = "OnDevices"

# `_apply` is what `to`, `cuda`, `cpu`, `half`, `to_empty` and the like call, on a module and all those inside of it.
SOURCE = f'''
Device = torch.device | str | int | None


class {MIXIN}(nn.Module):
    """A module with parts on several devices; `to` and the like take those along."""

    devices: tuple[Device, ...]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self.devices = tuple(
            None if device is None else fn(torch.empty(0, device=device)).device
            for device in self.devices
        )
        return self
'''
