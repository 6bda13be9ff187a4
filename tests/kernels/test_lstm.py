"""The LSTM kernel: torch's values and gradients in every precision, padding that changes nothing."""

import torch

from kernels.scan_laws import ScanLaws
from layers.recurrent.cases import hold_to_torch
from netwright.kernels import lstm


class TestScanLSTM(ScanLaws):
    kind, count = "LSTM", 3

    def kernel(self, x, states, arrays, length):
        return lstm.lstm_scan(x, *states, arrays, length)

    def test_pieces_of_several_steps(self, monkeypatch) -> None:
        monkeypatch.setattr("netwright.kernels.recurrent.PIECE", 3 * 4 * 16)  # 40 steps are 13 pieces of 3, and 1
        hold_to_torch(self.kernel, self.kind, torch.float32, (4, 40, 6, 16))
