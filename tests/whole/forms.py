"""What can be written of each layer, with all of its arguments, and what that does to a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whole.expressions import Expressions
from whole.knowledge import Scope, Value

IDS = 10  # the least number of ids of an `embedding`


@dataclass(frozen=True)
class Form:
    """A step, or several with `->` between."""

    text: str
    size: str = ""  # what it does to the size: "" leaves it, "=3" makes it that, "?" is not said
    channels: str | None = None  # what comes out; None for what went in
    pools: bool = False  # it is a max pooling, or ends with one
    vector: bool = False  # it makes a vector of a map


class Forms(Expressions):
    """Forms of each layer that is applied to one map, or to one vector. `w` is a number of channels."""

    def forms(self, scope: Scope, value: Value) -> Mapping[str, list[Form]]:
        """By layer, what may stand here. Those that change the size are left out where nothing may."""
        kinds = [self.activations, self.normalisations, self.drops]
        kinds += [self.of_vectors] if value.vector else [self.of_maps, self.flat_maps if self.rank == 2 else self.none]
        found = {name: made for kind in kinds for name, made in kind(scope, value).items()}
        if scope.keeps:
            found = {name: [form for form in made if not form.size and not form.vector] for name, made in found.items()}
        return {name: made for name, made in found.items() if made}

    def none(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        return {}

    def activations(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        f, t = lambda: self.fraction(scope), lambda: self.truth(scope)
        axis = "0" if value.vector else self.pick(["0", "1", str(self.rank)])
        names = ("relu", "relu6", "silu", "tanh", "sigmoid", "identity", "hardswish", "hardsigmoid", "mish", "selu")
        return _texts(
            **{name: [name] for name in names},
            elu=["elu", "elu(0.5)", f"elu(alpha={f()})"],
            gelu=["gelu", 'gelu(approximate="tanh")'],
            leaky_relu=["leaky_relu", f"leaky_relu({f()})", f"leaky_relu(negative_slope={f()})"],
            softplus=[f"softplus(beta={f()} + 0.5)", f"softplus(1.5, threshold={f()} * 20)"],
            prelu=["prelu", f"prelu(per_channel={t()})", f"prelu(init={f()})"],
            softmax=["softmax", f"softmax({axis})", f"softmax(axis={axis})"],
            log_softmax=["log_softmax", f"log_softmax(axis={axis})"],
        )

    def normalisations(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        f, t = lambda: self.fraction(scope), lambda: self.truth(scope)
        eps = self.pick(["1e-3", "0.01", "1e-06"])
        found = _texts(
            batchnorm=["batchnorm", f"batchnorm(affine={t()})", f"batchnorm(eps={eps}, momentum={f()})"],
            l2norm=["l2norm", f"l2norm(eps={eps})"],
        )
        w = self.width(scope)
        doubled = f"linear(2 * ({w}))" if value.vector else f"conv(2 * ({w}), 1)"
        if value.vector:
            return {
                **found,
                **_texts(
                    layernorm=[
                        "layernorm",
                        f"layernorm(bias={t()})",
                        f"layernorm(1, eps={eps})",
                        f"layernorm(elementwise_affine={t()})",
                    ]
                ),
                "groupnorm": [Form(f"linear(4 * ({w})) -> groupnorm({self.pick(['1', '2'])})", channels=f"4 * ({w})")],
            }
        found |= _texts(
            lrn=["lrn(3)", f"lrn(2, alpha={f()})", f"lrn(size=5, beta={f()}, k=2 + {f()})"],
            instancenorm=[
                "instancenorm",
                f"instancenorm(affine={t()})",
                f"instancenorm(eps={eps}, momentum={f()})",
                f"instancenorm(track_running_stats={t()})",
            ],
        )
        found["batchnorm"].append(Form(f"batchnorm(track_running_stats={t()})"))
        found["groupnorm"] = [
            Form("groupnorm(1)"),
            Form(f"groupnorm(groups=1, affine={t()}, eps={eps})"),
            Form(f"{doubled} -> groupnorm({self.pick(['1', '2'])}, affine={t()})", channels=f"2 * ({w})"),
        ]
        return found

    def drops(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        names = ["dropout", "drop_path", *([] if value.vector else [f"dropout{self.rank}d"])]
        made = {name: [f"{name}({self.fraction(scope)})", f"{name}(p={self.fraction(scope)})"] for name in names}
        return _texts(**made)

    def of_vectors(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        w, t = self.width(scope), self.truth(scope)
        linear = [f"linear({w})", f"linear({w}, bias={t})", f"linear(features={w})"]
        return {"linear": [Form(text, channels=w) for text in linear]}

    def of_maps(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        """Of maps with any number of axes."""
        w, f, t, r = self.width(scope), self.fraction(scope), self.truth(scope), self.rank
        axes = [*range(1, r + 1), 0]
        back = [r, *range(r)]
        last = f"permute({axes})"
        grouped = f"conv(2 * ({w}), {self.pick(['1', '3'])}, padding=same, groups=2)"
        linear = ("linear", "bilinear", "trilinear")[r - 1]
        square = ", ".join(["2"] * (r - 1))
        found = {
            "conv": [
                Form(f"conv({w}, 3, stride=2, padding=1)", "^2", w),
                Form(f"conv(channels={w}, kernel=3, dilation=2, padding=2)", "", w),
                Form(f"conv(2 * ({w}), 1) -> {grouped}", "", f"2 * ({w})"),
                Form(f'conv({w}, 3, padding=1, padding_mode="{self.pick(["replicate", "zeros"])}")', "", w),
            ],
            "deconv": [
                Form(f"deconv({w}, 2, stride=2)", "*2", w),
                Form(f"deconv(2 * ({w}), 3, padding=1, bias={t}) -> deconv(2 * ({w}), 1, groups=2)", "", f"2 * ({w})"),
                Form(f"deconv({w}, 3, stride=2, padding=1, output_padding=1)", "*2", w),
                Form(f"deconv({w}, 2, dilation=2)", "+2", w),
            ],
            "maxpool": [
                Form("maxpool(2)", "/2", pools=True),
                Form(f"maxpool(2, ceil={t})", "?", pools=True),
                Form("maxpool(3, stride=2, padding=1)", "^2", pools=True),
                Form("maxpool(3, stride=1, padding=1)"),
                Form("maxpool(2, stride=1, padding=1, dilation=2)"),
            ],
            "avgpool": [
                Form("avgpool(2)", "/2"),
                Form(f"avgpool(3, stride=1, padding=1, count_include_pad={t})"),
                Form(f"avgpool(kernel=2, stride=2, ceil={t})", "?"),
            ],
            "adaptive_avgpool": [Form("adaptive_avgpool(3)", "=3"), Form("adaptive_avgpool(size=2)", "=2")],
            "adaptive_maxpool": [Form("adaptive_maxpool(3)", "=3"), Form("adaptive_maxpool(size=2)", "=2")],
            "nearest_unpool": [Form("nearest_unpool(2)", "*2"), Form("nearest_unpool(scale=1)")],
            "bed_of_nails": [Form("bed_of_nails(2)", "*2"), Form("bed_of_nails(scale=1)")],
            "pad": [
                Form("pad(1)", "+2"),
                Form(f"pad(before=1, after=2, value={f})", "+3"),
                Form(f'pad(1, mode="{self.pick(["constant", "reflect", "replicate", "circular"])}")', "+2"),
            ],
            "crop": [Form("crop(2)", "=2"), Form("crop(size=2, offset=1)", "=2"), Form("crop(2, offset=center)", "=2")],
            "upsample": [
                Form("upsample(2)", "*2"),
                Form("upsample(scale=1.5)", "?"),
                Form(f'upsample(2, mode="{linear}", align_corners={t})', "*2"),
                Form('upsample(scale=2, mode="bicubic")' if r == 2 else "upsample(2, mode=area)", "*2"),
            ],
            "permute": [
                Form(f"{last} -> layernorm -> permute({back})"),
                Form(f"{last} -> linear({w}) -> gelu -> permute(order={back})", "", w)
                if r == 1
                else Form(f"{last} -> layernorm(bias={t}) -> gelu -> permute(order={back})"),
                Form(f"permute({[0, *range(r, 0, -1)]})", "?"),
            ],
            "layernorm": [Form(f"{last} -> layernorm(dims=1) -> permute({back})")],
            "reshape": [
                Form(f"conv(2 * ({w}), 1) -> adaptive_avgpool(2) -> reshape([{w}, 4{', ' * (r > 1)}{square}])", "?", w),
                Form("adaptive_avgpool(2) -> reshape(dims=[" + ", ".join(["-1", "2", *["2"] * (r - 1)]) + "])", "=2"),
            ],
            "slice": [
                Form("slice(0, 1, axis=1)", "?"),
                Form("slice(0, none)"),
                Form(f"slice(0, stop=2, axis={r})", "?"),
            ],
            "global_avgpool": [Form("global_avgpool", "=1")],
            "global_maxpool": [Form("global_maxpool", "=1")],
        }
        for name in scope.strides:
            found["conv"] += [
                Form(f"conv({w}, 3, stride={name}, padding=1)", f"s{name}", w),
                Form(f"conv({w}, 2 * {name} + 1, stride={name}, padding={name})", f"t{name}", w),
            ] * 3
            found["maxpool"] += [Form(f"maxpool(3, stride={name}, padding=1)", f"s{name}", pools=True)] * 3
        for name in scope.optional:
            found["maxpool"] += [Form(f"maxpool(2, stride={name})", f"o{name}", pools=True)] * 3
        return found

    def flat_maps(self, scope: Scope, value: Value) -> dict[str, list[Form]]:
        """Of images only."""
        w = self.width(scope)
        return {
            "pixel_shuffle": [
                Form(f"conv(4 * ({w}), 1) -> pixel_shuffle(2)", "*2", w),
                Form("pixel_shuffle(upscale_factor=1)"),
            ],
            "pixel_unshuffle": [
                Form("nearest_unpool(2) -> pixel_unshuffle(2)", "", "?"),
                Form("pixel_unshuffle(downscale_factor=1)"),
            ],
        }

    def ends(self) -> list[str]:
        """How a map becomes a vector."""
        found = [f"{pool} -> flatten" for pool in ("global_avgpool", "global_maxpool", "adaptive_avgpool(2)")]
        return [*found, "adaptive_maxpool(2) -> flatten", *["spp([1, 2])", "spp(levels=[2])"] * (self.rank == 2)]


def _texts(**made: list[str]) -> dict[str, list[Form]]:
    """Forms that leave the shape as it is."""
    return {name: [Form(text) for text in texts] for name, texts in made.items()}
