"""Train from a DataLoader of PyTorch, on the backend torch: good pixels are taken, a NaN is refused."""

import numpy as np
import torch

from helpers import models

x = np.random.default_rng(0).random((16, 4, 4, 1), "float32")
spoilt = x.copy()
spoilt[9, 1, 1] = np.nan

model = models.dense_vae((4, 4, 1), latent=2, hidden=(8,))
model.compile("adam")
model.fit(torch.utils.data.DataLoader(torch.tensor(x), 8), verbose=0)
try:
    model.fit(torch.utils.data.DataLoader(torch.tensor(spoilt), 8), verbose=0)
except ValueError as error:
    print(error)
else:
    print("a NaN was taken")
