"""The GRU kernel: torch's values and gradients in every precision, padding that changes nothing."""

import torch

from kernels.scan_laws import ScanLaws
from layers.recurrent.cases import hold_to_torch
from netwright.kernels import gru


class TestScanGRU(ScanLaws):
    kind = "GRU"

    def kernel(self, x, states, arrays, length):
        return gru.gru_scan(x, states[0], arrays, length)

    def test_pieces_of_several_steps(self, monkeypatch) -> None:
        monkeypatch.setattr("netwright.kernels.recurrent.PIECE", 3 * 4 * 16)  # 40 steps are 13 pieces of 3, and 1
        hold_to_torch(self.kernel, self.kind, torch.float32, (4, 40, 6, 16))
