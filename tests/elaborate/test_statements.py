"""Each statement of the language: what it builds, and what is refused."""

from __future__ import annotations

from time import process_time

import pytest
from nets import codes, domain, keys, net, out, placed, spec

from archdsl.compiler import SpecError, UsageError


def names(body: str, before: str = "") -> list[str]:
    return list(net(body, before).scope.modules)


# --- labels and names ---


def test_a_label_names_the_layer() -> None:
    assert keys(net("first = conv(8, 3)\nsecond = conv(8, 3)")) == ["first.weight", "second.weight"]


def test_a_label_on_a_chain_makes_a_numbered_group() -> None:
    assert keys(net("stem = conv(8, 3) -> relu -> conv(8, 3)")) == ["stem.0.weight", "stem.2.weight"]


def test_a_labelled_group_has_its_own_scope() -> None:
    assert keys(net("a = { conv = conv(8, 3); relu }\nb = { conv = conv(8, 3); relu }")) == [
        "a.conv.weight",
        "b.conv.weight",
    ]


def test_a_group_without_a_label_adds_no_scope() -> None:
    assert keys(net("{ a = conv(8, 3); relu } -> { b = conv(8, 3) }")) == ["a.weight", "b.weight"]


def test_layers_without_a_label_are_numbered_from_the_second_on() -> None:
    assert names("relu; conv(8, 3); relu; conv(8, 3); relu") == ["relu", "conv", "relu2", "conv2", "relu3"]


def test_numbers_pass_over_labels() -> None:
    assert names("relu; relu; relu2 = relu; relu") == ["relu", "relu3", "relu2", "relu4"]
    assert names("relu; relu; relu[2] = relu") == ["relu", "relu_2", "relu2"]


@pytest.mark.parametrize(
    "body",
    [
        "u = conv(3, 1) -> conv(3, 1) -> residual { conv2 = conv(3, 1) }",
        "u = conv(3, 1) -> conv(3, 1) -> { conv2 = conv(3, 1); add(in, conv2) }",
        "u = conv(3, 1) -> conv(3, 1) -> residual { relu } project conv2 = conv(3, 1)",
        "u = residual { conv(3, 1); conv(3, 1); relu } shortcut { conv2 = conv(3, 1) }",
        "u = residual { conv(3, 1); conv(3, 1); conv(4, 1) } project conv2 = conv(4, 1)",
        "u = repeat 1 { conv(3, 1) -> conv(3, 1); conv2 = conv(3, 1); add(in, conv2) }",
        "output u = conv(3, 1) -> conv(3, 1) -> residual { conv2 = conv(3, 1) }",
        "shared u = conv(3, 1) -> conv(3, 1) -> residual { conv2 = conv(3, 1) }\nu",
        "a, b, c = conv(3, 1) -> conv(3, 1) -> residual { conv2 = conv(3, 1) } -> split(3)",
        "residual { conv(3, 1); conv(3, 1) } shortcut { { conv2 = conv(3, 1) } }",
        "conv(3, 1) -> conv(3, 1)\n{ { residual { conv2 = conv(3, 1) } } }",
        "conv(3, 1) -> conv(3, 1)\nif false { conv2 = conv(3, 1) } else if true { relu } else { conv2 = relu }",
        "conv(3, 1) -> conv(3, 1)\nif x.channels > 2 { conv2 = conv(3, 1) }",
        "conv(3, 1) -> conv(3, 1)\ntraining { output conv2 = conv(3, 1) }",
        "repeat 13 { conv(3, 1) }\nfor i in 1..3 { conv1[i] = conv(3, 1) }",
        "repeat 13 { conv(3, 1) }\nfor i in 1..3 { conv1[0][i] = conv(3, 1) }",
        "repeat 3 { conv(3, 1) }\nfor i in 1..3 { conv_[i] = conv(3, 1); conv[i] = conv(3, 1) }",
        "repeat 3 { b1 }\nfor i in 1..20 { b[i] = conv(3, 1) }",
    ],
)
def test_a_name_that_is_given_keeps_off_labels_that_come_later(body: str) -> None:
    assert codes(body, "block b1 { conv(3, 1) }") == []


def test_names_that_an_indexed_label_could_have() -> None:
    found = names("repeat 12 { relu }\nrelu1[1] = relu")
    assert found == ["relu", *(f"relu{n}" for n in range(2, 10)), "relu_10", "relu_11", "relu_12", "relu11"]
    assert names("b1; b1; b[1] = relu", "block b1 { relu }") == ["b1_", "b1_2", "b1"]


def test_a_chain_that_names_a_value_again_is_not_plain() -> None:
    assert keys(net("u = relu -> { a = conv(8, 3); a -> conv(8, 3) }")) == ["u.a.weight", "u.conv.weight"]


def test_a_plain_group_counts_as_sequential_does() -> None:
    features = "features = { conv(8, 3); relu; repeat 2 { conv(8, 3); relu }; last = conv(8, 3); conv(8, 3) }"
    assert keys(net(features)) == [f"features.{n}.weight" for n in ("0", "2", "4", "last", "7")]


def test_a_group_that_names_a_value_again_is_not_plain() -> None:
    assert keys(net("g = { a = conv(8, 3); a -> conv(8, 3) }")) == ["g.a.weight", "g.conv.weight"]
    assert keys(net("g = { conv(3, 1); add(in, x) }")) == ["g.conv.weight"]


def test_a_block_whose_name_no_module_can_have() -> None:
    assert names("forward; forward", "block forward { conv(8, 3) }") == ["forward_", "forward_2"]


@pytest.mark.parametrize("name", ["forward", "train", "parameters", "class", "__init__", "devices", "type"])
def test_labels_that_no_module_can_have(name: str) -> None:
    assert codes(f"{name} = conv(8, 3)") == ["E0105"]


def test_what_enters_is_no_label_with_an_index_either() -> None:
    assert codes("in[0] = conv(8, 3)") == ["E0105"]


@pytest.mark.parametrize("name", ["self", "torch", "nn", "F", "len", "print", "x1", "_private"])
def test_labels_that_only_look_dangerous(name: str) -> None:
    assert keys(net(f"{name} = conv(8, 3)")) == [f"{name}.weight"]


def test_an_indexed_label() -> None:
    assert keys(net("for i in 1..2 { layer[i] = conv(8, 3, padding=1) }\nadd(layer[1], layer2)")) == [
        "layer1.weight",
        "layer2.weight",
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("a = relu\na = relu", "E0103"),
        ("for i in 1..2 { a = relu }", "E0103"),
        ("let a = 1\na = relu", "E0103"),
        ("a.b = relu", "E0504"),
        ("layer[-1] = relu", "E0203"),
        ("relu -> x", "E0504"),
        ("relu(8)", "E0201"),
        ("conv", "E0201"),
        ("nothing", "E0102"),
        ("y -> relu", "E0102"),
        ("relu = conv(8, 3)\nrelu", "E0104"),
    ],
)
def test_refused_labels_and_chains(body: str, code: str) -> None:
    assert codes(body) == [code]


# --- values ---


def test_a_chain_may_start_with_a_value() -> None:
    assert out(net("a = conv(8, 3)\nx -> conv(4, 1)")) == "[4, H, W]"


def test_parentheses_apply_a_layer_of_the_same_name() -> None:
    assert out(net("relu = conv(8, 3)\nrelu()")) == "[8, H - 2, W - 2]"


def test_several_values() -> None:
    assert (
        out(net("a, b = heads\nconcat(b, b)", "block heads { output p = conv(2, 1)\noutput q = conv(4, 1) }"))
        == "[8, H, W]"
    )
    assert codes("a, b, c = heads\nrelu", "block heads { output p = conv(2, 1)\noutput q = conv(4, 1) }") == ["E0506"]


def test_split_gives_several_values() -> None:
    assert out(net("conv(8, 1)\na, b = split(2)\nadd(a, b)")) == "[4, H, W]"
    assert codes("conv(8, 1)\nsplit(2) -> relu") == ["E0501"]


# --- shapes ---


def test_a_stated_shape_is_checked_for_every_accepted_size() -> None:
    assert out(net("y: [8, H - 2, _] = conv(8, 3)")) == "[8, H - 2, W - 2]"
    assert codes("y: [8, H, _] = conv(8, 3)") == ["E0304"]
    assert codes("y: [8, H // 2, _] = conv(8, 3, stride=2, padding=1)") == ["E0304"]


def test_a_stated_shape_may_lean_on_what_the_network_accepts() -> None:
    """Only even H fit the sum, and for those H//2 and (H + 1)//2 are the same."""
    body = "a: [3, H // 2, W // 2] = conv(3, 1, stride=2)\nb = x -> maxpool(2)\nadd(a, b)"
    assert domain(net(body)) == "H and W even"


def test_a_stated_shape_binds_new_names() -> None:
    assert out(net("y: [C, A, _] = conv(8, 3)\nconv(2 * C, 1)")) == "[16, H - 2, W - 2]"


def test_a_square_input() -> None:
    assert domain(net("conv(8, 3)", inputs="input x: [3, H, H]")) == "any H >= 3"
    assert codes("relu", inputs="input x: [3, H=8, H=9]") == ["E0506"]


@pytest.mark.parametrize("value", ["16", "8"])
def test_a_parameter_takes_no_typical_size(value: str) -> None:
    (found,) = spec("relu", head="Net(H=8)", inputs=f"input x: [3, H={value}, W=16]").diagnostics
    assert found.code == "E0506"
    assert found.message == "`H` is 8 here, so it takes no typical size"
    assert out(net("relu", head="Net(H=8)", inputs="input x: [3, H, W=16]")) == "[3, 8, W]"


def test_a_constant_takes_no_typical_size() -> None:
    inputs = "input y: [3, H, W=16]\nlet K = H // 2\ninput x: [3, K=16, W]"
    assert codes("relu", inputs=inputs) == ["E0506"]
    assert codes("relu", inputs=inputs.replace("K=16", "K")) == []
    assert codes("relu", inputs="let H = missing\ninput x: [3, H=16, W]") == ["E0101"]
    assert codes("relu", inputs="let H = missing\ninput x: [3, H, W]") == ["E0101"]


def test_a_dim_of_an_input_has_a_name() -> None:
    assert codes("relu", inputs="input x: [3, _=16, W]") == ["E0506"]
    assert codes("relu", inputs="input x: [3, _, W]") == ["E0506"]


def test_fixed_sizes_decide_at_once() -> None:
    assert out(net("conv(8, 3) -> flatten -> linear(2)", inputs="input x: [3, 8, 9]")) == "[2]"
    assert codes("conv(8, 9)", inputs="input x: [3, 8, 9]") == ["E0302"]


@pytest.mark.parametrize(("inputs", "shape"), [("[7]", "[7]"), ("[7, L]", "[7, L]"), ("[2, D, H, W]", "[2, D, H, W]")])
def test_inputs_of_any_rank(inputs: str, shape: str) -> None:
    assert out(net("relu", inputs=f"input x: {inputs}")) == shape


def test_the_typical_size_is_the_stated_one_or_one_that_fits() -> None:
    assert net("relu", inputs="input x: [3, H=8, W]").sizes == {"H": 8, "W": 224}
    assert net("concat { conv(3, 1, stride=2); conv(3, 3) }", inputs="input x: [3, H, W]").sizes == {"H": 4, "W": 4}
    assert net("training { output a = conv(8, 300) }", inputs="input x: [3, H, W]").sizes == {"H": 300, "W": 300}
    assert codes("conv(8, 9)", inputs="input x: [3, H=8, W=8]") == ["E0312"]
    assert codes("training { output a = conv(8, 9) }", inputs="input x: [3, H=8, W=8]") == ["E0312"]


def test_several_inputs() -> None:
    assert out(net("add(a, b)", inputs="input a: [3, H, W]\ninput b: [3, H, W]")) == "[3, H, W]"
    assert codes("relu", inputs="relu") == ["E0506"]


# --- outputs ---


def test_the_last_value_is_the_output_unless_stated() -> None:
    assert out(net("conv(8, 3)\nrelu")) == "[8, H - 2, W - 2]"
    assert out(net("a = conv(8, 3)\noutput a\nconv(4, 1)")) == "[8, H - 2, W - 2]"
    assert out(net("output a = conv(8, 1)\noutput b = x -> conv(4, 1)")) == "a[8, H, W] b[4, H, W]"


def test_outputs_of_training() -> None:
    network = net("a = conv(8, 3)\ntraining { output aux = a -> global_avgpool }\nconv(4, 1)")
    assert [(r.name, r.training) for r in network.scope.results] == [("output", False), ("aux", True)]
    assert codes("training { aux = relu }\nadd(x, aux)") == ["E0504"]


def test_training_does_not_change_what_flows() -> None:
    assert out(net("conv(8, 1)\ntraining { conv(4, 1) }\nrelu")) == "[8, H, W]"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("output y", "E0101"),
        ("a = relu\noutput a\noutput a", "E0506"),
        ("output _a = relu", "E0105"),
        ("p = parallel { relu; relu }\noutput p", "E0506"),
    ],
)
def test_refused_outputs(body: str, code: str) -> None:
    assert codes(body) == [code]


# --- shared ---


def test_shared_weights_are_there_once() -> None:
    network = net("shared head = conv(5, 1) -> relu\na = x -> head\nb = x -> head\nadd(a, b)")
    assert keys(network) == ["head.0.weight"]


def test_a_shared_module_keeps_the_constants_of_its_declaration() -> None:
    network = net("let n = 4\nshared head = conv(n, 1)\nfor k in [8, 16] { a[k] = x -> head }\nadd(a8, a16)")
    assert out(network) == "[4, H, W]"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("shared head = conv(8, 1)\nhead -> head", "E0301"),
        ("shared head = conv(8, 1)\nhead()", "E0201"),
        ("shared head = conv(8, 1)\ng = { relu -> head }", "E0504"),
        ("shared a = b\nshared b = a\na", "E0502"),
        ("shared a = relu\nshared a = relu\nrelu", "E0103"),
    ],
)
def test_refused_sharing(body: str, code: str) -> None:
    assert codes(body) == [code]


# --- loops, cases, constants ---


def test_loops() -> None:
    assert keys(net("for i, n in enumerate([4, 8], 1) { c[i] = conv(n, 1) }")) == ["c1.weight", "c2.weight"]
    assert out(net("for a, b in zip([4, 8], [1, 3]) { conv(a, b) }")) == "[8, H - 2, W - 2]"
    assert out(net("for i in range(3) { conv(i + 1, 1) }")) == "[3, H, W]"
    assert out(net("repeat 3 { conv(in.channels + 1, 1) }")) == "[6, H, W]"
    assert out(net("repeat 0 { conv(9, 1) }")) == "[3, H, W]"
    assert out(net("for i in 5..4 { conv(9, 1) }")) == "[3, H, W]"


def test_cases() -> None:
    body = "if x.channels > 4 { conv(8, 1) } else if x.channels == 3 { conv(9, 1) } else { conv(7, 1) }"
    assert out(net(body)) == "[9, H, W]"
    assert out(net("if false { conv(8, 1) }")) == "[3, H, W]"
    assert codes("if x.height > 4 { relu }") == ["E0203"]


def test_constants_of_a_body_end_with_it() -> None:
    assert codes("if true { let n = 8 }\nconv(n, 1)") == ["E0101"]
    assert codes("let n = 1\nlet n = 2\nrelu") == ["E0103"]


def test_a_failed_constant_is_told_once() -> None:
    assert codes("let n = 1 // 0\nlet m = n + 1\nconv(m, n)") == ["E0203"]


# --- blocks ---


def test_defaults_see_the_parameters_before_them() -> None:
    assert out(net("b(4)", "block b(n, m=2 * n) { conv(m, 1) }")) == "[8, H, W]"


def test_a_block_takes_tensors() -> None:
    before = "block up(width, skip: value) { a = conv(width, 1)\nconcat(a, skip) }"
    assert out(net("y = relu\nup(4, x)", before)) == "[7, H, W]"
    assert codes("up(4, 4)", before) == ["E0202"]
    assert codes("up(4)", before) == ["E0201"]


def test_a_signature_is_checked_at_each_use() -> None:
    before = "block b(n): [C, H, W] -> [C + n, H, W] { dense { conv(n, 1) } }"
    assert out(net("b(4) -> b(5)", before)) == "[12, H, W]"
    assert codes("b(4)", before.replace("C + n", "C")) == ["E0304"]
    assert codes("b(4)", before.replace("[C, H", "[4, H")) == ["E0304"]


def test_a_block_applied_alike_is_elaborated_once() -> None:
    network = net("conv(4, 1)\nb; b; b", "block b { conv(4, 1) }")
    assert len({id(module.what) for module in network.scope.modules.values()}) == 2


def test_values_inside_a_block_are_reached_by_dots() -> None:
    before = "block stage { low = conv(4, 3)\nlayer[2] = { a = conv(5, 3)\nb = conv(6, 3) } }"
    assert out(net("s = stage\ns.low", before)) == "[4, H - 2, W - 2]"
    for path in ("s.layer[2].a", "s.layer2.a"):
        assert out(net(f"s = stage\n{path}", before)) == "[5, H - 4, W - 4]"
    assert codes("s = stage\ns.hgih -> relu", before) == ["E0101"]


def test_an_outer_value_passes_through_groups_on_the_way_in() -> None:
    network = net(
        "s = stage\ng = { h = { relu\nconv(4, 1)\nadd(in, s.low, x) } }", "block stage { low = conv(3, 1)\nrelu }"
    )
    outer = network.scope.modules["g"].what
    assert outer.input_names == ["in", "low", "x"]
    assert outer.modules["h"].what.input_names == ["in", "low", "x"]


def test_several_outputs_of_a_block() -> None:
    before = "block rpn { output scores = conv(2, 1)\noutput boxes = conv(8, 1) }"
    assert out(net("r = rpn\nr.scores -> relu", before)) == "[2, H, W]"
    assert codes("r = rpn\nrelu", before) == ["E0501"]


def test_blocks_do_not_recurse() -> None:
    assert codes("a", "block a { b }\nblock b { a }") == ["E0502"]
    assert codes("Net2", "network Net2 { input y: [3]; relu }") == ["E0102"]


# --- parameters of a network ---


def test_settings() -> None:
    compilation = spec("conv(n, 1)", head="Net(n=4)")
    assert out(compilation.network("Net", n=6)) == "[6, H, W]"
    assert out(compilation.network("Net")) == "[4, H, W]"
    for wrong in ({"m": 1}, {"n": {}}):
        with pytest.raises(UsageError):
            compilation.network("Net", **wrong)


def test_a_setting_that_fails_leaves_the_others_alone() -> None:
    compilation = spec("conv(n, 1)", head="Net(n=4)")
    with pytest.raises(SpecError):
        compilation.network("Net", n=0)
    assert compilation.ok
    assert out(compilation.network("Net")) == "[4, H, W]"


# --- init, claims, where ---


def test_init() -> None:
    network = net("fc = conv(4, 1)\ninit conv: kaiming_normal\ninit fc.bias, fc: zeros")
    rules = [(rule.kind, rule.path, rule.parameter, rule.initialiser) for rule in network.scope.inits]
    assert rules == [
        ("conv", None, "weight", "kaiming_normal"),
        (None, "fc.bias", "bias", "zeros"),
        (None, "fc.weight", "weight", "zeros"),
    ]
    assert codes("init fc: zeros\nrelu") == ["E0508"]


@pytest.mark.parametrize(
    "claim",
    [
        "params == 56 * 4 + 8 - 8",
        "params(a) == 224",
        "params(training=true) == params",
        "macs at 8x8 == 36 * 216",
        "macs at 3x8x8 == macs(a) at 8x8",
        "flops == 2 * macs",
        "buffers == 0",
        "memory at 8x8 == 4 * (192 + 288)",
        "shape at 8x8 == [8, 6, 6]",
        "shape(a) at 8x8 != [8, 8, 8]",
        "params > Other.params",
        "params == Other(n=8).params",
        "1.5 < params / 100",
        "receptive_field == 3",
        "receptive_field(x) < receptive_field(a, smallest=true)",
        "receptive_field at 8x9 == Other.receptive_field",
        "params >= width",
    ],
)
def test_claims_that_hold(claim: str) -> None:
    before = "network Other(n=4) { input x: [3, H, W]\nconv(n, 3) }"
    assert codes(f"a = conv(8, 3)\nexpect {claim}", before, "Net(width=8)") == []


def test_claims_of_layers_by_their_positions() -> None:
    body = "f = { conv(4, 1); relu; g = relu -> conv(8, 1); { conv(5, 1); relu } }"
    assert codes(f"{body}\nexpect params(f.0) == 16\nexpect params(f.g.1) == 40\nexpect macs(f.3) at 2x2 == 160") == []
    assert codes(f"{body}\nexpect params(f.9) == 16") == ["E0402"]
    assert codes("two = { inner = { relu; conv(4, 1) }; relu }\nexpect params(two.inner.1) == 16") == []
    blocks = "block one(w) { relu; conv(w, 1) }\nblock two(w) { one(w); relu }"
    assert codes("n = two(4)\nexpect params(n.0.1) == 16", blocks) == []  # `0.1` is no number there


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("params == 225", "E0401"),
        ("shape at 8x8 == [8, 8, 8]", "E0401"),
        ("params == Nobody.params", "E0402"),
        ("params(b) == 1", "E0402"),
        ("macs at 1x1 == 1", "E0402"),
        ("shape == 1", "E0402"),
        ("params / 0 == 1", "E0402"),
        ("receptive_field(a) == 4", "E0401"),
        ("receptive_field(a, training=true) == 3", "E0402"),
        ("receptive_field(b) == 3", "E0402"),
    ],
)
def test_claims_that_do_not(claim: str, code: str) -> None:
    assert codes(f"a = conv(8, 3)\nexpect {claim}") == [code]


def test_what_is_not_there_yet_says_so() -> None:
    assert codes("nms") == ["E0601"]


# --- placement ---


def test_the_innermost_placement_wins() -> None:
    network = net("a = conv(4, 1) on gpu(1)\n{ b = relu; c = relu on gpu(2) } on gpu(3)\nd = relu")
    assert placed(network.scope) == [("a", 1), ("b", 3), ("c", 2), ("d", None)]


def test_placement_by_the_turn_of_a_loop() -> None:
    network = net("concat { for g in 0..1 { tower[g] = conv(4, 1) -> relu on gpu(g) } }")
    assert placed(network.scope) == [("tower0", 0), ("tower1", 1)]


def test_refused_placements() -> None:
    assert codes("relu on cpu(1)") == ["E0507"]
    assert codes("relu on gpu(-1)") == ["E0203"]


def test_every_error_of_a_networks_head_is_told_and_none_that_follows_from_it() -> None:
    head = ["let H = 3", "let x = 4", "input y: [q + 1, H, W]"]
    assert codes("\n".join([*head, "relu", "add(x, y)"])) == ["E0103", "E0103", "E0101"]


def test_every_wrong_argument_of_a_call_is_told() -> None:
    assert codes("conv(64, 3, paddin=1, strid=2, bais=false)") == ["E0201", "E0201", "E0201"]
    assert codes("conv(64, kernal=3)") == ["E0201"]
    assert codes("relu", "block unused { conv(64); conv(8, 3, strid=2) }\n") == ["E0201", "E0201"]


def test_blocks_that_double_reach_the_limit_soon() -> None:
    """Each block is applied with other arguments each time, so that none is known from before."""
    doubled = "".join(f"block b{i + 1}(n) {{ b{i}(2 * n) -> b{i}(2 * n + 1) }}\n" for i in range(20))
    start = process_time()
    assert codes("b20(1)", "block b0(n) { relu }\n" + doubled) == ["E0503"]
    assert process_time() - start < 8  # ten times as much without what a block costs
