"""A linear layer made recurrent: the layers of PreRNN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELLS = {"rnn": 1, "lstm": 4, "gru": 3}  # recurrent matrices of each


class RecurrentLinear(nn.Module):
    """A pretrained linear layer W with recurrence (PreRNN, CVPR 2018), all gates on one input u_t = W x_t + b (SIH).

    - ``rnn``: h_t = relu(u_t + U h_{t-1}), relu being the layer's own activation;
    - ``lstm``: i, f, o = sigmoid(u_t + U_{i,f,o} h_{t-1}), c_t = f c_{t-1} + i tanh(u_t + U_c h_{t-1}),
      h_t = o tanh(c_t);
    - ``gru``: z, r = sigmoid(u_t + U_{z,r} h_{t-1}), h_t = (1 - z) h_{t-1} + z tanh(u_t + U_h (r h_{t-1})).

    h_0 = c_0 = 0. Only the matrices U are new; they start orthogonal. They lie in ``hidden.weight``, one below the
    other in the order i, f, o, c or z, r, h.

    Args:
        in_channels, out_channels: of W. cell: one of ``CELLS``.

    Input: ``[N, T, in_channels]``. Output: ``[N, T, out_channels]``.
    """

    def __init__(self, in_channels: int, out_channels: int, cell: str = "gru") -> None:
        super().__init__()
        self.cell = cell
        self.linear = nn.Linear(in_channels, out_channels)
        self.hidden = nn.Linear(out_channels, CELLS[cell] * out_channels, bias=False)
        for matrix in self.hidden.weight.data.split(out_channels):
            nn.init.orthogonal_(matrix)

    def forward(self, x: Tensor) -> Tensor:
        """States of all steps; see the class."""
        states = {"rnn": self._rnn, "lstm": self._lstm, "gru": self._gru}[self.cell]
        return torch.stack(states(self.linear(x).unbind(1)), dim=1)

    def _rnn(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        state, states = torch.zeros_like(inputs[0]), []
        for u in inputs:
            state = F.relu(u + self.hidden(state))
            states.append(state)
        return states

    def _lstm(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        state = memory = torch.zeros_like(inputs[0])
        states = []
        for u in inputs:
            i, f, o, c = self.hidden(state).chunk(4, dim=1)
            memory = (u + f).sigmoid() * memory + (u + i).sigmoid() * (u + c).tanh()
            state = (u + o).sigmoid() * memory.tanh()
            states.append(state)
        return states

    def _gru(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        gates, candidate = self.hidden.weight.split([2 * self.linear.out_features, self.linear.out_features])
        state, states = torch.zeros_like(inputs[0]), []
        for u in inputs:
            z, r = F.linear(state, gates).chunk(2, dim=1)
            new = (u + F.linear((u + r).sigmoid() * state, candidate)).tanh()
            state = torch.lerp(state, new, (u + z).sigmoid())
            states.append(state)
        return states
