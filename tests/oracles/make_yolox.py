"""What another YOLOX gives with weights computed from their names, and the gradients of one step."""

import torch
from cjm_yolox_pytorch.model import YOLOX, YOLOXPAFPN, CSPDarknet, YOLOXHead
from make_vision import keep, keep_digests
from torch import nn
from torch.nn import functional

SIZES = {"tiny": (0.375, 0.33), "s": (0.5, 0.33), "m": (0.75, 0.67), "l": (1.0, 1.0), "x": (1.25, 1.33)}
STRIDES = (8, 16, 32)


def yolox(labels: int, widen: float, deepen: float) -> YOLOX:
    """The net with so many labels, as this package builds it."""
    channels = [int(widen * width) for width in (256, 512, 1024)]
    return YOLOX(
        CSPDarknet(deepen_factor=deepen, widen_factor=widen),
        YOLOXPAFPN(channels, channels[0], num_csp_blocks=round(3 * deepen)),
        YOLOXHead(labels, channels[0], feat_channels=channels[0]),
    )


class Stem(nn.Module):
    """Its first convolution, with the four pixels of a block in torch's order: all of a colour together."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(functional.pixel_unshuffle(x, 2))


class Candidates(nn.Module):
    """Its candidates in rows, with boxes given by the distances of their edges from the middles of the cells."""

    def __init__(self, net: YOLOX) -> None:
        super().__init__()
        self.net = net
        net.backbone.stem = Stem(net.backbone.stem.conv)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Left, top, right, bottom, whether there is a thing, and the scores, of every cell of each grid in turn."""
        rows: list[torch.Tensor] = []
        for stride, scores, edges, thing in zip(STRIDES, *self.net(x), strict=True):
            down, across = torch.meshgrid(*(torch.arange(n) for n in scores.shape[2:]), indexing="ij")
            middle = (torch.stack([across, down]) + 0.5) * stride
            far = edges.exp() * stride
            found = torch.cat([middle - far[:, :2], middle + far[:, 2:], thing, scores], 1)
            rows.append(found.flatten(2).transpose(1, 2))
        return torch.cat(rows, 1)


if __name__ == "__main__":
    keep_digests("yolox", [(name, lambda size=size: Candidates(yolox(80, *size))) for name, size in SIZES.items()])
    keep("yolox8", lambda: Candidates(yolox(2, 0.125, 0.33)), 2, 64)
