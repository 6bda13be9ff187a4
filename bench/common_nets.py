"""Nets that people really train, each as Netwright's layers and as torch's modules, with data of the right shape."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from bench.picture_nets import UNet, masks, resnet18_ours, resnet18_theirs, unet_ours
from torch import Tensor, nn

import netwright as nw

WORDS, LENGTH, WIDTH, HEADS, BLOCKS = 512, 64, 256, 4, 4  # of the nets that read tokens
PATCH, PATCHES = 4, 8  # of the ViT: 8 × 8 patches of 4 × 4 pixels
USERS, ITEMS = 6_000, 3_700  # about those of MovieLens 1M


@dataclass(frozen=True)
class CommonNet:
    """One net, both ways.

    Fields:
        ours: Netwright's net, which ends in what its decoder or its own loss takes.
        theirs: torch's module, pictures and sounds with channels first; its outputs are logits or numbers.
        data: so many examples: the inputs, and last the targets, as the module takes them but features last.
        batches: examples in a step.
        columns: the same data as `nw.train` takes it.
        classes: whether the targets are classes, else numbers.
        keras: what builds the same net in Keras 3, for the nets that its guide begins with.
        peers: who else races over it.
    """

    ours: Callable[[], nw.Net]
    theirs: Callable[[], nn.Module]
    data: Callable[[np.random.Generator, int], tuple[np.ndarray, ...]]
    batches: tuple[int, int]
    columns: Callable[[tuple[np.ndarray, ...]], Any] = lambda data: data
    classes: bool = True
    keras: Callable[[], Any] | None = None
    peers: tuple[str, ...] = ()


def pictures(
    size: int, channels: int, classes: int = 10
) -> Callable[[np.random.Generator, int], tuple[np.ndarray, ...]]:
    """Floats (n, size, size, channels), and classes."""
    return numbers((size, size, channels), classes)


def numbers(shape: Sequence[int], classes: int = 10) -> Callable[[np.random.Generator, int], tuple[np.ndarray, ...]]:
    """Standard normal floats, and classes."""
    return lambda draw, n: (
        draw.standard_normal((n, *shape)).astype(np.float32),
        draw.integers(0, classes, n),
    )


def texts(classes: int) -> Callable[[np.random.Generator, int], tuple[np.ndarray, ...]]:
    """Texts of tokens, and classes."""
    return lambda draw, n: (draw.integers(0, WORDS, (n, LENGTH)), draw.integers(0, classes, n))


def next_tokens(draw: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Texts of tokens, and the same one further."""
    found = draw.integers(0, WORDS, (n, LENGTH + 1))
    return found[:, :-1], found[:, 1:]


def pairs(draw: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Texts, the beginnings of their translations, and what comes next in them."""
    found = draw.integers(0, WORDS, (n, LENGTH // 2 + 1))
    return draw.integers(0, WORDS, (n, LENGTH // 2)), found[:, :-1], found[:, 1:]


def themselves(draw: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Pictures of bytes as rows of numbers from 0 to 1, and the same."""
    x = (draw.integers(0, 256, (n, 784)) / 255).astype(np.float32)
    return x, x


def ratings(draw: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Users, items, and how they were liked, from 1 to 5."""
    return draw.integers(0, USERS, n), draw.integers(0, ITEMS, n), draw.integers(1, 6, (n, 1)).astype(np.float32)


def mlp(
    sizes: Sequence[int], *, norm: bool = False, dropout: float = 0.0
) -> tuple[Callable[[], nw.Net], Callable[[], nn.Module]]:
    """Layers of ReLU, each with batch norm and dropout where they are wanted."""
    into, *hidden, out = sizes

    def ours() -> nw.Net:
        parts: list[Any] = []
        for size in hidden:
            parts += [nw.Linear(size), *([nw.BatchNorm()] if norm else []), nw.relu]
            parts += [nw.Dropout(dropout)] if dropout else []
        return nw.Chain(*parts, nw.Linear(), nw.softmax, input=nw.Array(into), output=nw.Category(range(out)))

    def theirs() -> nn.Module:
        parts: list[nn.Module] = []
        for before, size in zip(sizes, hidden, strict=False):
            parts += [nn.Linear(before, size), *([nn.BatchNorm1d(size)] if norm else []), nn.ReLU()]
            parts += [nn.Dropout(dropout)] if dropout else []
        return nn.Sequential(*parts, nn.Linear(sizes[-2], out))

    return ours, theirs


def keras_mlp(sizes: Sequence[int], *, norm: bool = False, dropout: float = 0.0) -> Callable[[], Any]:
    """As `mlp`, in Keras 3."""

    def build() -> Any:
        import keras

        layers = keras.layers
        parts: list[Any] = [keras.Input((sizes[0],))]
        for size in sizes[1:-1]:
            parts += [layers.Dense(size), *([layers.BatchNormalization()] if norm else []), layers.ReLU()]
            parts += [layers.Dropout(dropout)] if dropout else []
        return keras.Sequential([*parts, layers.Dense(sizes[-1])])

    return build


def keras_lenet() -> Any:
    """As `lenet_ours`, in Keras 3."""
    import keras

    layers = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(20, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(50, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(500, activation="relu"), layers.Dense(10),
    ])  # fmt: skip


def deep_ours() -> nw.Net:
    """Twelve residual blocks with layer norm."""
    block = lambda: nw.Residual([nw.LayerNorm(), nw.Linear(128), nw.gelu, nw.Linear()])  # noqa: E731
    blocks = [block() for _ in range(12)]
    return nw.Chain(nw.Linear(128), *blocks, nw.LayerNorm(), nw.Linear(), nw.softmax,
                    input=nw.Array(64), output=nw.Category(range(10)))  # fmt: skip


class Skip(nn.Module):
    """x + body(x), or shortcut(x) + body(x)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, after: nn.Module | None = None) -> None:
        super().__init__()
        self.body, self.shortcut, self.after = body, shortcut or nn.Identity(), after or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.shortcut(x) + self.body(x))


def deep_theirs() -> nn.Module:
    """As `deep_ours`."""
    blocks = [
        Skip(nn.Sequential(nn.LayerNorm(128), nn.Linear(128, 128), nn.GELU(), nn.Linear(128, 128))) for _ in range(12)
    ]
    return nn.Sequential(nn.Linear(64, 128), *blocks, nn.LayerNorm(128), nn.Linear(128, 10))


def lenet_ours() -> nw.Net:
    """LeNet for digits."""
    return nw.Chain(
        nw.Conv(20, 5), nw.relu, nw.MaxPool(2), nw.Conv(50, 5), nw.relu, nw.MaxPool(2),
        nw.Flatten(), nw.Linear(500), nw.relu, nw.Linear(), nw.softmax,
        input=nw.Array((28, 28, 1)), output=nw.Category(range(10)),
    )  # fmt: skip


def lenet_theirs() -> nn.Module:
    """As `lenet_ours`, with the pools in front of the ReLUs, which gives the same in less time."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.ReLU(True), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.ReLU(True),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(True), nn.Linear(500, 10),
    )  # fmt: skip


RESNET = ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1))  # channels and stride of each block


def resnet_ours() -> nw.Net:
    """A ResNet for pictures of 32 × 32."""
    conv = lambda out, kernel, stride=1: nw.Conv(out, kernel, stride=stride, padding=kernel // 2, bias=False)  # noqa: E731
    parts: list[Any] = [conv(32, 3), nw.BatchNorm(), nw.relu]
    channels = 32
    for out, stride in RESNET:
        body = [conv(out, 3, stride), nw.BatchNorm(), nw.relu, conv(out, 3), nw.BatchNorm()]
        same = out == channels and stride == 1
        parts += [nw.Residual(body, None if same else [conv(out, 1, stride), nw.BatchNorm()]), nw.relu]
        channels = out
    return nw.Chain(*parts, nw.GlobalAvgPool(), nw.Linear(), nw.softmax,
                    input=nw.Array((32, 32, 3)), output=nw.Category(range(10)))  # fmt: skip


def resnet_theirs() -> nn.Module:
    """As `resnet_ours`."""
    conv = lambda a, b, k, s=1: nn.Conv2d(a, b, k, s, k // 2, bias=False)  # noqa: E731
    parts: list[nn.Module] = [conv(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU(True)]
    channels = 32
    for out, stride in RESNET:
        body = nn.Sequential(
            conv(channels, out, 3, stride), nn.BatchNorm2d(out), nn.ReLU(True), conv(out, out, 3), nn.BatchNorm2d(out)
        )
        same = out == channels and stride == 1
        shortcut = None if same else nn.Sequential(conv(channels, out, 1, stride), nn.BatchNorm2d(out))
        parts.append(Skip(body, shortcut, nn.ReLU(True)))
        channels = out
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


MOBILENET = ((24, 1), (24, 1), (48, 2), (48, 1), (96, 2))  # channels and stride of each block


def mobilenet_ours() -> nw.Net:
    """Inverted residuals with depthwise convolutions, for pictures of 32 × 32."""

    def unit(out: int, kernel: int, *, stride: int = 1, groups: int = 1, last: bool = False) -> list[Any]:
        conv = nw.Conv(out, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
        return [conv, nw.BatchNorm(), *([] if last else [nw.relu6])]

    parts: list[Any] = unit(24, 3)
    channels = 24
    for out, stride in MOBILENET:
        wide = 4 * channels
        body = [*unit(wide, 1), *unit(wide, 3, stride=stride, groups=wide), *unit(out, 1, last=True)]
        parts += [nw.Residual(body)] if out == channels and stride == 1 else body
        channels = out
    return nw.Chain(*parts, nw.GlobalAvgPool(), nw.Linear(), nw.softmax,
                    input=nw.Array((32, 32, 3)), output=nw.Category(range(10)))  # fmt: skip


def mobilenet_theirs() -> nn.Module:
    """As `mobilenet_ours`."""

    def unit(
        into: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1, last: bool = False
    ) -> list[nn.Module]:
        conv = nn.Conv2d(into, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(out), *([] if last else [nn.ReLU6(True)])]

    parts: list[nn.Module] = unit(3, 24, 3)
    channels = 24
    for out, stride in MOBILENET:
        wide = 4 * channels
        body = [
            *unit(channels, wide, 1), *unit(wide, wide, 3, stride=stride, groups=wide), *unit(wide, out, 1, last=True)
        ]  # fmt: skip
        parts += [Skip(nn.Sequential(*body))] if out == channels and stride == 1 else body
        channels = out
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 10))


def vit_ours() -> nw.Net:
    """A vision transformer over patches."""
    return nw.Chain(
        nw.Conv(WIDTH // 2, PATCH, stride=PATCH), nw.Reshape(PATCHES**2, WIDTH // 2), nw.Positions(PATCHES**2),
        *(nw.encoder_block(WIDTH // 2, HEADS, dropout=0) for _ in range(BLOCKS)), nw.LayerNorm(),
        nw.Mean(0), nw.Linear(), nw.softmax,
        input=nw.Array((PATCH * PATCHES, PATCH * PATCHES, 3)), output=nw.Category(range(10)),
    )  # fmt: skip


class Transformer(nn.Module):
    """Blocks of a transformer with the norm first, of torch's own layers: (b, n, width) -> (b, n, width)."""

    def __init__(self, width: int, length: int, *, causal: bool = False) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(length, width))
        layer = nn.TransformerEncoderLayer(width, HEADS, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, BLOCKS, nn.LayerNorm(width), enable_nested_tensor=False)
        self.mask = nn.Transformer.generate_square_subsequent_mask(length) if causal else None

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x + self.positions, self.mask, is_causal=self.mask is not None)


class Along(nn.Module):
    """Positions as elements: (b, c, h, w) -> (b, h w, c)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Averaged(nn.Module):
    """The mean over elements: (b, n, c) -> (b, c)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


def vit_theirs() -> nn.Module:
    """As `vit_ours`."""
    width = WIDTH // 2
    return nn.Sequential(
        nn.Conv2d(3, width, PATCH, PATCH), Along(), Transformer(width, PATCHES**2), Averaged(), nn.Linear(width, 10)
    )


def tokens(length: str = "n") -> nw.Tokens:
    """The codec of texts."""
    return nw.Tokens(range(WORDS), length=length)


def gpt_ours() -> nw.Net:
    """A GPT; it ends in its loss."""
    x, y = nw.Input("x", tokens()), nw.Input("y", tokens())
    value = nw.Positions(LENGTH)(nw.Embedding(WIDTH)(x))
    for _ in range(BLOCKS):
        value = nw.decoder_block(WIDTH, HEADS, memory=False, dropout=0)(value)
    return nw.Graph(nw.CrossEntropy()(nw.softmax(nw.Linear(WORDS)(nw.LayerNorm()(value))), y))


def gpt_theirs() -> nn.Module:
    """As `gpt_ours`."""
    return nn.Sequential(nn.Embedding(WORDS, WIDTH), Transformer(WIDTH, LENGTH, causal=True), nn.Linear(WIDTH, WORDS))


def bert_ours() -> nw.Net:
    """An encoder with a class for each text, all weights trained, as in fine-tuning."""
    return nw.Chain(
        nw.Embedding(WIDTH), nw.Positions(LENGTH), *(nw.encoder_block(WIDTH, HEADS) for _ in range(BLOCKS)),
        nw.LayerNorm(), nw.First(), nw.Linear(WIDTH), nw.tanh, nw.Linear(), nw.softmax,
        input=tokens(), output=nw.Category(range(4)),
    )  # fmt: skip


class First(nn.Module):
    """The first element: (b, n, c) -> (b, c)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0]


def bert_theirs() -> nn.Module:
    """As `bert_ours`."""
    body = Transformer(WIDTH, LENGTH)
    for part in body.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.1
    for layer in body.blocks.layers:
        layer.dropout.p = 0.0  # between the two layers, where ours has none
    return nn.Sequential(
        nn.Embedding(WORDS, WIDTH), body, First(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 4)
    )


def lstm_ours() -> nw.Net:
    """A text read from both ends, and its class."""
    return nw.Chain(nw.Embedding(64), nw.Bidirectional(nw.LSTM(128)), nw.Mean(0), nw.Linear(), nw.softmax,
                    input=tokens(), output=nw.Category(range(4)))  # fmt: skip


class Recurrent(nn.Module):
    """All outputs of a recurrent layer: (b, n, in) -> (b, n, out)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


def lstm_theirs() -> nn.Module:
    """As `lstm_ours`."""
    layer = nn.LSTM(64, 128, batch_first=True, bidirectional=True)
    return nn.Sequential(nn.Embedding(WORDS, 64), Recurrent(layer), Averaged(), nn.Linear(256, 4))


def translation_ours() -> nw.Net:
    """The state after a text starts a decoder that reads the translation so far; it ends in its loss."""
    x, y, after = nw.Input("x", tokens()), nw.Input("y", tokens("m")), nw.Input("after", tokens("m"))
    state = nw.GRU(WIDTH)(nw.Embedding(128)(x))["hidden"]
    written = nw.GRU(WIDTH)(nw.Embedding(128)(y), hidden=state)["output"]
    return nw.Graph(nw.CrossEntropy()(nw.softmax(nw.Linear(WORDS)(written)), after))


class Translation(nn.Module):
    """As `translation_ours`."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.written = nn.Embedding(WORDS, 128), nn.Embedding(WORDS, 128)
        self.encoder, self.decoder = (nn.GRU(128, WIDTH, batch_first=True) for _ in range(2))
        self.linear = nn.Linear(WIDTH, WORDS)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.linear(self.decoder(self.written(y), self.encoder(self.read(x))[1])[0])


def autoencoder_ours() -> nw.Net:
    """784 numbers through 64, and back."""
    return nw.Chain(256, nw.relu, 64, nw.relu, 256, nw.relu, nw.Linear(), input=nw.Array(784), output=nw.Array(784))


def autoencoder_theirs() -> nn.Module:
    """As `autoencoder_ours`."""
    return nn.Sequential(
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Linear(256, 64),
        nn.ReLU(),
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Linear(256, 784),
    )


def recommender_ours() -> nw.Net:
    """A vector for each user and each item, and layers over both."""
    user, item = nw.Input("user", nw.Category(range(USERS))), nw.Input("item", nw.Category(range(ITEMS)))
    both = nw.Concatenate()(nw.Embedding(32)(user), nw.Embedding(32)(item))
    return nw.Graph(nw.Chain(64, nw.relu, 32, nw.relu, nw.Linear())(both), output=nw.Array(1))


class Recommender(nn.Module):
    """As `recommender_ours`."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(USERS, 32), nn.Embedding(ITEMS, 32)
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return self.layers(torch.cat([self.user(user), self.item(item)], 1))


SOUND = ((32, 80, 4), (32, 3, 1), (64, 3, 1), (128, 3, 1))  # channels, kernel and stride of each layer


def sound_ours() -> nw.Net:
    """Convolutions over a second of sound at 4 kHz. Source: Dai et al. 2016, M5."""
    parts: list[Any] = []
    for out, kernel, stride in SOUND:
        parts += [nw.Conv(out, kernel, stride=stride), nw.BatchNorm(), nw.relu, nw.MaxPool(4)]
    return nw.Chain(*parts, nw.GlobalAvgPool(), nw.Linear(), nw.softmax,
                    input=nw.Array((4000, 1)), output=nw.Category(range(10)))  # fmt: skip


def sound_theirs() -> nn.Module:
    """As `sound_ours`."""
    parts: list[nn.Module] = []
    channels = 1
    for out, kernel, stride in SOUND:
        parts += [nn.Conv1d(channels, out, kernel, stride), nn.BatchNorm1d(out), nn.ReLU(True), nn.MaxPool1d(4)]
        channels = out
    return nn.Sequential(*parts, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(channels, 10))


def _by_name(*names: str) -> Callable[[tuple[np.ndarray, ...]], Any]:
    return lambda data: dict(zip(names, data, strict=True))


MIDDLE = (100, 256, 256, 10)
OTHERS = ("lightning", "keras-torch", "keras-jax")
NETS = {
    "mlp": CommonNet(*mlp(MIDDLE), numbers((100,)), (128, 512), keras=keras_mlp(MIDDLE), peers=OTHERS),
    "mlp-norm": CommonNet(*mlp(MIDDLE, norm=True), numbers((100,)), (128, 512)),
    "mlp-dropout": CommonNet(*mlp(MIDDLE, dropout=0.3), numbers((100,)), (128, 512)),
    "mlp-both": CommonNet(
        *mlp(MIDDLE, norm=True, dropout=0.3), numbers((100,)), (128, 512),
        keras=keras_mlp(MIDDLE, norm=True, dropout=0.3), peers=OTHERS,
    ),
    "mlp-wide": CommonNet(*mlp((784, 1024, 1024, 10), dropout=0.5), numbers((784,)), (128, 512)),
    "mlp-deep": CommonNet(deep_ours, deep_theirs, numbers((64,)), (128, 512)),
    "lenet": CommonNet(lenet_ours, lenet_theirs, pictures(28, 1), (32, 128), keras=keras_lenet, peers=OTHERS),
    "resnet": CommonNet(resnet_ours, resnet_theirs, pictures(32, 3), (32, 64), peers=("lightning",)),
    "mobilenet": CommonNet(mobilenet_ours, mobilenet_theirs, pictures(32, 3), (32, 64)),
    "resnet18": CommonNet(resnet18_ours, resnet18_theirs, pictures(64, 3), (8, 32)),
    "unet": CommonNet(unet_ours, UNet, masks, (8, 16)),
    "vit": CommonNet(vit_ours, vit_theirs, pictures(32, 3), (16, 64)),
    "gpt": CommonNet(gpt_ours, gpt_theirs, next_tokens, (8, 32), _by_name("x", "y")),
    "bert": CommonNet(bert_ours, bert_theirs, texts(4), (8, 32)),
    "lstm": CommonNet(lstm_ours, lstm_theirs, texts(4), (32, 128)),
    "translation": CommonNet(translation_ours, Translation, pairs, (32, 128), _by_name("x", "y", "after")),
    "autoencoder": CommonNet(autoencoder_ours, autoencoder_theirs, themselves, (128, 512), classes=False),
    "recommender": CommonNet(
        recommender_ours, Recommender, ratings, (256, 1024), _by_name("user", "item", "target"), classes=False
    ),
    "sound": CommonNet(sound_ours, sound_theirs, numbers((4000, 1)), (32, 64)),
}  # fmt: skip


def loss_of(net: CommonNet, output: Tensor, target: Tensor) -> Tensor:
    """Cross entropy of logits at every place, or mean squared error; in float32."""
    if net.classes:
        return F.cross_entropy(output.float().flatten(0, -2), target.flatten())
    return F.mse_loss(output.float(), target)


def channels_first(x: Tensor) -> Tensor:
    """Pictures and sounds as torch's modules take them; other values as they are."""
    return x.movedim(-1, 1) if x.is_floating_point() and x.ndim > 2 else x
