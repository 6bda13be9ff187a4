"""The names of PyTorch and Keras with ours for the same things: a table for the mends of errors."""

import re
import sys
from types import ModuleType
from typing import Any, Never

from netwright.errors import UnknownNameError, close_names

PARTS = {
    "Dense": "nw.Linear(out)",
    "LazyLinear": "nw.Linear(out)",
    "Sequential": "nw.Chain(…)",
    "ModuleList": "nw.Chain(…), or nw.Repeat(count, part)",
    "Model": "nw.Chain(…) or nw.Graph(…)",
    "Conv1d": "nw.Conv(out, (3,)), with channels last",
    "Conv2d": "nw.Conv(out, (3, 3)), with channels last",
    "Conv3d": "nw.Conv(out, (3, 3, 3)), with channels last",
    "MaxPool1d": "nw.MaxPool((2,))",
    "MaxPool2d": "nw.MaxPool((2, 2))",
    "AvgPool1d": "nw.AvgPool((2,))",
    "AvgPool2d": "nw.AvgPool((2, 2))",
    "MaxPooling2D": "nw.MaxPool((2, 2))",
    "AveragePooling2D": "nw.AvgPool((2, 2))",
    "AdaptiveAvgPool2d": "nw.GlobalAvgPool()",
    "GlobalAveragePooling2D": "nw.GlobalAvgPool()",
    "GlobalMaxPooling2D": "nw.GlobalMaxPool()",
    "BatchNorm1d": "nw.BatchNorm()",
    "BatchNorm2d": "nw.BatchNorm()",
    "BatchNormalization": "nw.BatchNorm()",
    "LayerNormalization": "nw.LayerNorm()",
    "Dropout1d": 'nw.Dropout(rate, unit="feature")',
    "Dropout2d": 'nw.Dropout(rate, unit="feature")',
    "Dropout3d": 'nw.Dropout(rate, unit="feature")',
    "SimpleRNN": "nw.RNN(out)",
    "TimeDistributed": "nw.Map(part)",
    "MultiheadAttention": "nw.Attention(…) or nw.self_attention(…)",
    "MultiHeadAttention": "nw.Attention(…) or nw.self_attention(…)",
    "cat": "nw.Concatenate()",
    "concat": "nw.Concatenate()",
    "Identity": "nothing: leave it out",
    "Swish": "nw.silu",
    "Lambda": "nw.Function(f, ports)",
    "Permute": "nw.Transpose(…)",
    "View": "nw.Reshape(…)",
    "Squeeze": "nw.Reshape(…)",
    "Unsqueeze": "nw.Reshape(…)",
    "Unflatten": "nw.Reshape(…)",
    "Dot": "nw.MatMul()",
    "Masking": 'nw.Array("n 8"), whose size n has a name: sequences of any length need no mask',
    "GroupNormalization": "nw.GroupNorm(groups)",
    "Transformer": "nw.encoder_block(width, heads) and nw.decoder_block(width, heads, memory=True)",
    "TransformerEncoderLayer": "nw.encoder_block(width, heads)",
    "TransformerDecoderLayer": "nw.decoder_block(width, heads, memory=True)",
    "ConvTranspose1d": "nw.ConvTranspose(out, (2,), stride=2), with channels last",
    "ConvTranspose2d": "nw.ConvTranspose(out, (2, 2), stride=2), with channels last",
    "ConvTranspose3d": "nw.ConvTranspose(out, (2, 2, 2), stride=2), with channels last",
    "Conv2DTranspose": "nw.ConvTranspose(out, (2, 2), stride=2)",
    "Upsample": "nw.Resize(factor=2)",
    "interpolate": "nw.Resize(size), or nw.Resize(factor=2)",
    "UpSampling1D": 'nw.Resize(factor=2, interpolation="nearest")',
    "UpSampling2D": 'nw.Resize(factor=2, interpolation="nearest")',
    "UpSampling3D": 'nw.Resize(factor=2, interpolation="nearest")',
    "Resizing": "nw.Resize((height, width))",
    "InstanceNorm1d": "nw.InstanceNorm()",
    "InstanceNorm2d": "nw.InstanceNorm()",
    "InstanceNormalization": "nw.InstanceNorm()",
    "LeakyReLU": 'nw.leaky_relu, or nw.Elementwise("leaky_relu", slope=0.2)',
    "ELU": 'nw.elu, or nw.Elementwise("elu", slope=0.5)',
    "ReflectionPad2d": 'nw.Pad((1, 1), (1, 1), mode="reflect")',
    "ReplicationPad2d": 'nw.Pad((1, 1), (1, 1), mode="replicate")',
    "CircularPad2d": 'nw.Pad((1, 1), (1, 1), mode="circular")',
    "ZeroPad2d": "nw.Pad((1, 1), (1, 1))",
    "ZeroPadding2D": "nw.Pad((1, 1), (1, 1))",
    "depth_to_space": "nw.PixelShuffle(factor)",
    "space_to_depth": "nw.PixelUnshuffle(factor)",
    "SpatialDropout1D": 'nw.Dropout(rate, unit="feature")',
    "SpatialDropout2D": 'nw.Dropout(rate, unit="feature")',
    "StochasticDepth": 'nw.Dropout(rate, unit="example"), at the end of the branch of a nw.Residual',
    "DropPath": 'nw.Dropout(rate, unit="example"), at the end of the branch of a nw.Residual',
    "grid_sample": "nw.SpatialTransformer()",
    "affine_grid": "nw.SpatialTransformer()",
}
LOSSES = {
    "CrossEntropyLoss": "nw.CrossEntropy(), behind a net that ends in nw.softmax",
    "NLLLoss": "nw.CrossEntropy(), behind a net that ends in nw.softmax",
    "cross_entropy": "nw.CrossEntropy(), behind a net that ends in nw.softmax",
    "nll_loss": "nw.CrossEntropy(), behind a net that ends in nw.softmax",
    "sparse_categorical_crossentropy": "nw.CrossEntropy()",
    "categorical_crossentropy": 'nw.CrossEntropy("probabilities")',
    "BCELoss": 'nw.CrossEntropy("binary"), behind a net that ends in nw.sigmoid',
    "BCEWithLogitsLoss": 'nw.CrossEntropy("binary"), behind a net that ends in nw.sigmoid',
    "binary_cross_entropy": 'nw.CrossEntropy("binary"), behind a net that ends in nw.sigmoid',
    "binary_cross_entropy_with_logits": 'nw.CrossEntropy("binary"), behind a net that ends in nw.sigmoid',
    "binary_crossentropy": 'nw.CrossEntropy("binary")',
    "MSELoss": "nw.MSE()",
    "mse_loss": "nw.MSE()",
    "mse": "nw.MSE()",
    "L1Loss": "nw.MAE()",
    "l1_loss": "nw.MAE()",
    "mae": "nw.MAE()",
    "SmoothL1Loss": "nw.Huber()",
    "smooth_l1_loss": "nw.Huber()",
    "HuberLoss": "nw.Huber()",
    "TripletMarginLoss": "nw.TripletLoss()",
    "triplet_margin_loss": "nw.TripletLoss()",
    "huber_loss": "nw.Huber()",
    "ctc_loss": "nw.CTCLoss(), behind a net that ends in nw.softmax",
}
VERBS = {
    "fit": "nw.train(net, (inputs, targets)), whose run holds the trained net",
    "compile": "nothing to compile: nw.train(net, data, optimizer=…, loss=…)",
    "predict": "net(x), or net([x, …]) for several",
    "forward": "net(x)",
    "evaluate": "nw.measure(net, data)",
    "score": "nw.measure(net, data)",
    "summary": "nw.summary(net)",
    "parameters": "net.arrays, by path",
    "state_dict": "net.arrays, by path",
    "load_state_dict": "net.with_arrays(state)",
    "named_parameters": "net.arrays, by path",
    "weights": "net.arrays, by path",
    "get_weights": "net.arrays, by path",
    "layers": "list(net)",
    "children": "list(net)",
    "modules": "net.paths",
    "train_test_split": "nw.split(data, 0.1)",
    "random_split": "nw.split(data, 0.1)",
    "GroupShuffleSplit": 'nw.split(data, 0.1, by="group")',
    "StratifiedKFold": 'nw.split(data, 0.1, stratify="target")',
    "SummaryWriter": "nw.train(net, data, callbacks=[nw.TensorBoard(folder)])",
    "add": "net.append(part), which gives a new net",
    "eval": "net(x): a call is not training unless it says training=True",
    "train": "nw.train(net, data)",
    "save": "nw.save(net, path)",
    "cuda": "net.to('cuda')",
    "cpu": "net.to('cpu')",
    "double": "net.to(torch.float64)",
    "half": "net.to(torch.float16)",
    "zero_grad": "nw.train(net, data), which computes and applies gradients",
    "backward": "nw.train(net, data), which computes and applies gradients",
    "grad": "nw.gradients(net, x), by path",
    "get_peft_model": "nw.adapt(net)",
    "LoraConfig": "nw.adapt(net, selection, rank=8, alpha=8)",
    "merge_and_unload": "nw.merge_adapters(net)",
    "GradientTape": "nw.gradients(net, x), by path",
    "jacrev": "nw.jacobian(net, x)",
    "gradcheck": "nw.check_gradient(net, x)",
    "register_forward_hook": "nw.activations(net, x), by path; net(x, set={path: function}) changes a value",
    "register_full_backward_hook": "nw.gradients(net, x, wrt=path)",
}
KEEPS = 'nw.train(…, folder="runs/a"), which keeps checkpoints and the nets; the same call goes on'
RUNS = {
    "Trainer": "nw.train(net, data)",
    "TrainingArguments": "the arguments of nw.train",
    "ModelCheckpoint": KEEPS,
    "BackupAndRestore": KEEPS,
    "Checkpoint": KEEPS,
    "save_checkpoint": KEEPS,
    "load_checkpoint": KEEPS,
    "load_from_checkpoint": 'nw.load_run("runs/a"), for a run that nw.train(…, folder="runs/a") kept',
}
PICTURES = {
    "CenterCrop": 'nw.Image(height, width, resize="crop")',
    "Resizing": "nw.Image(height, width)",
    "RandomAffine": "nw.Image(…, vary=(nw.Rotate(10), nw.Shift(2), nw.Zoom(0.1)))",
    "RandomRotation": "nw.Image(…, vary=(nw.Rotate(10),))",
    "RandomTranslation": "nw.Image(…, vary=(nw.Shift(2),))",
    "RandomZoom": "nw.Image(…, vary=(nw.Zoom(0.1),))",
    "RandomCrop": "nw.Image(…, vary=(nw.Crop(height, width),))",
    "RandomResizedCrop": "nw.Image(…, vary=(nw.Crop(height, width),))",
    "RandomFlip": "nw.Image(…, vary=(nw.Flip(),))",
    "RandomHorizontalFlip": "nw.Image(…, vary=(nw.Flip(),))",
    "RandomVerticalFlip": 'nw.Image(…, vary=(nw.Flip("vertical"),))',
    "ColorJitter": "nw.Image(…, vary=(nw.Brightness(0.2), nw.Contrast(0.2), nw.Saturation(0.2), nw.Hue(0.05)))",
    "RandomBrightness": "nw.Image(…, vary=(nw.Brightness(0.2),))",
    "RandomContrast": "nw.Image(…, vary=(nw.Contrast(0.2),))",
    "RandomErasing": "nw.Image(…, vary=(nw.Erase(0.33),))",
    "MixUp": "nw.train(…, mixup=0.2)",
}
"""How pictures are resized, and how they vary in training, as torchvision and Keras call it."""
SCHEDULES = {
    "StepLR": "nw.StepDecay(at=(0.5, 0.75), factor_each=0.1), at parts of the run",
    "MultiStepLR": "nw.StepDecay(at=(0.5, 0.75), factor_each=0.1), at parts of the run",
    "CosineAnnealingLR": "nw.CosineDecay()",
    "CosineDecay": "nw.CosineDecay()",
    "OneCycleLR": "nw.OneCycle()",
    "ConstantLR": "nw.ConstantRate()",
    "LambdaLR": "a class that derives from nw.Schedule and says factor(step, steps)",
    "LearningRateScheduler": "a class that derives from nw.Schedule and says factor(step, steps)",
    "ReduceLROnPlateau": "a callback that sets status.rate_factor, or patience=5",
}
ARGUMENTS = {
    "p": ("rate",),
    "lr": ("learning_rate",),
    "units": ("out",),
    "filters": ("out",),
    "out_features": ("out",),
    "out_channels": ("out",),
    "hidden_size": ("out",),
    "embedding_dim": ("out",),
    "output_dim": ("out",),
    "kernel_size": ("kernel", "window"),
    "pool_size": ("window",),
    "strides": ("stride",),
    "num_heads": ("heads",),
    "momentum": ("momentum",),
    "validation_split": ("validation",),
    "validation_data": ("validation",),
    "criterion": ("loss",),
    "loss_fn": ("loss",),
    "num_epochs": ("epochs",),
    "max_epochs": ("epochs",),
    "input_shape": ("input",),
    "resume_from_checkpoint": ("folder",),
    "ckpt_path": ("folder",),
    "checkpoint_dir": ("folder",),
    "default_root_dir": ("folder",),
    "output_dir": ("folder",),
}
FOLLOW = ("in_features", "in_channels", "input_size", "input_dim", "num_features", "num_embeddings", "normalized_shape")
"""Arguments that say the size of an input, which follows here from what comes before."""


def part(name: str) -> str:
    """Our name for a part or loss that PyTorch or Keras calls so; empty where there is none."""
    for there, ours in (*PARTS.items(), *LOSSES.items()):
        if there.lower() == name.lower():
            return ours
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    known = getattr(sys.modules.get("netwright"), "__dict__", {})
    plain = next((one for one in (snake, name.lower()) if one in known and hasattr(known[one], "plan")), "")
    return f"nw.{plain}" if plain else f"nw.{name}(…)" if name in known else ""


def argument(name: str, declared: object, where: str) -> str:
    """The mend for an argument named as in PyTorch or Keras, of a call that takes the declared ones."""
    takes = list(declared)  # type: ignore[call-overload]  # names
    for ours in ARGUMENTS.get(name, ()):
        if ours in takes:
            return f"{where}({ours}=…)"
    if name == "lr":
        return "nw.train(net, data, learning_rate=…), which the rate belongs to"
    if name in FOLLOW:
        return f"leave {name} out: the size of an input follows from what comes before"
    near = close_names(name, takes)
    return f"{where}({near[0]}=…)" if near else ""


def loss(value: object) -> str:
    """Our loss for a loss of torch or its name; empty for any other value."""
    name = value if isinstance(value, str) else called(value) if _of_torch(value) else ""
    return LOSSES.get(name, "")


def schedule(value: object) -> str:
    """Our schedule for a schedule of torch or Keras, or its name; empty for any other value."""
    return SCHEDULES.get(value if isinstance(value, str) else called(value), "")


def _of_torch(value: object) -> bool:
    kind = value if isinstance(value, type) or hasattr(value, "__name__") else type(value)
    return str(getattr(kind, "__module__", "")).partition(".")[0] == "torch"


def unknown(name: str) -> Never:
    """Raise the error for a public name that the package does not have: its `__getattr__`."""
    if name.startswith("_"):  # what Python itself looks for
        raise AttributeError(name)
    found = vars(sys.modules["netwright"]).items()
    known = [one for one, value in found if not (one.startswith("_") or isinstance(value, ModuleType))]
    plain = {one.lower().replace("_", ""): one for one in known}  # LeakyReLU is leaky_relu
    near = tuple(f"nw.{plain[one]}" for one in close_names(name.lower().replace("_", ""), plain, farthest=0.35))
    raise UnknownNameError(
        what=f"netwright has no {name!r}", mend=part(name) or {**VERBS, **RUNS, **PICTURES}.get(name) or near[:1]
    )


def no_verb(kind: str, name: str) -> Never:
    """Raise the error for a method that a net of this kind does not have."""
    if name not in VERBS:
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")
    raise UnknownNameError(what=f"a net has no {name!r}", where=kind, mend=VERBS[name])


def called(value: Any) -> str:
    """The name by which torch knows a module, its class or a function."""
    kind = value if isinstance(value, type) else type(value)
    return str(getattr(value, "__name__", kind.__name__))
