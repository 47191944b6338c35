# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here: draw a picture that nobody took
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/00_start_here.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/00_start_here.ipynb) <!--badges-->
#
# ![Three rows of eight small pictures. The first row shows one sharp coloured shape each on textured ground. In the second row nearly the same colours stand in the same places, as soft blobs on plain ground. The third row shows pictures that belong to no original: coloured blobs on coloured ground, less tidy.](../docs/pictures/00.png) <!--picture-->
#
# Show a network a few thousand pictures. Then ask it for one more, of something that was never there. A variational autoencoder (VAE) does that, and while it learns to, it learns what the pictures have in
# common. This series asks what that knowledge is good for: can it help to say *what* every pixel shows, and *where* one thing ends and the next begins?
#
# **What you'll do**
#
# - See what machine the notebook runs on.
# - Train a small VAE, look at its reconstructions, and draw new pictures from it.
# - Read one number off the training, in the unit that the whole series uses.
#
# **What you'll learn**
#
# - What goes into a VAE and what comes out.
# - How to read, run, rerun and grade the notebooks.
#
# **What you'll need**
#
# - Some Python. No graphics card, no download: the pictures are drawn on the spot.
# - About 1 minute on 2 CPU cores and 1.5 GB of memory.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% [markdown]
# ## The first two cells of every notebook
#
# Each notebook keeps what you may change in one cell, the next one. Change a number there and run everything again. The cell after it refuses a value that cannot work and says why; then it prints the machine.

# %% tags=["parameters"]
seed = 0  # of the pictures, the first weights and every random draw
images = 4000  # pictures to train on
size = 32  # side of a picture in pixels
latent = 12  # K, how many numbers the VAE may use for one picture
epochs = 14  # passes over the pictures
learning_rate = 0.002  # of Adam, at the start; it falls to zero along half a cosine

# %%
from helpers.runs import check_parameters, set_up

check_parameters(
    globals(),
    seed=range(2**32),
    images=range(64, 4001),
    size=[16, 32, 64],
    latent=range(1, 257),
    epochs=range(1, 201),
    learning_rate=(1e-5, 0.1),
)
set_up(seed)

import time

import keras

from helpers import data, models, plots, training
from helpers.runs import record

plots.use()

# %% [markdown]
# That line tells the *backend* that computes (TensorFlow, JAX or PyTorch), the device it truly ran a product on, and the versions. If you report a problem, report that line.
#
# ## Some pictures to learn from
#
# A disc, a square or a triangle lies on a photograph of brick, grass or gravel, in any colour and with some camera noise. The set is called `shapes`. It is drawn by a program, so we know for every pixel what it
# shows and where the edges run; notebook `01` looks at that. Here we ask for an easy version, one object on faint texture, and the VAE gets the bare pictures and nothing else.

# %%
easy = {"objects": 1, "radius": (0.15, 0.25), "texture": 0.1, "noise": 0.02, "annotators": 1}
train, held_out = (
    data.to_float(data.load("shapes", split, limit=n, size=size, seed=seed, **easy).images)
    for split, n in [("train", images), ("val", 500)]
)
print(f"{len(train)} pictures to train on, {len(held_out)} held out, each {train.shape[1:]}")

# %% [markdown]
# > **Predict first.** A picture of 32×32 pixels in three colours is 3,072 numbers. The VAE below must pass each picture through 12 numbers, and noise is added to those. What will survive the passage: the colour of
# > the ground, the place of the object, its outline, the blades of grass? Put the four in order.
#
# ## A VAE in four lines
#
# An *encoder* turns a picture into a guess about $K$ hidden numbers $z$: a mean and a spread for each. A *decoder* turns hidden numbers back into a picture. Training asks for two things at once: the original should be likely
# under what comes back, and the guess about $z$ should stay close to what one would say without having seen the picture. Notebook `03` builds both networks and the loss from nothing; here we borrow them. While the VAE trains, a bar shows the time left.

# %%
vae = models.conv_vae(train.shape[1:], latent, width=32, likelihood="gaussian", seed=seed)
steps = epochs * -(-images // 32)
schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
vae.compile(optimizer=keras.optimizers.Adam(schedule))

started = time.perf_counter()
vae.fit(train, batch_size=32, epochs=epochs, verbose=0, callbacks=[training.Progress()])
seconds = time.perf_counter() - started

# %% [markdown]
# The weights are set. Three rows tell how it went: held-out pictures, what the VAE makes of them, and pictures decoded from hidden numbers that were drawn at random. The last row shows things that nobody drew.

# %% tags=["readme-picture", "picture"]
reconstructions = vae.predict(held_out[:8], verbose=0).clip(0, 1)
samples = keras.ops.convert_to_numpy(vae.sample(8, seed=seed + 1)).clip(0, 1)
figure = plots.image_grid(
    [held_out[:8], reconstructions, samples],
    row_labels=["picture", "reconstruction", "new"],
)
plots.show(
    figure,
    alt="Three rows of eight small pictures. The first row shows one sharp coloured shape each on textured ground. "
    "In the second row nearly the same colours stand in the same places, as soft blobs on plain ground. "
    "The third row shows pictures that belong to no original: coloured blobs on coloured ground, less tidy.",
)

# %% [markdown]
# Place survives, and colour nearly so; outlines melt, until a disc, a square and a triangle look alike; the texture and the noise are gone. The VAE keeps what is cheap to say and predicts much of the picture, and drops what is dear and predicts little. Whether a classifier can still work with what is left is the
# question of the whole series, and it is a fair question to doubt.
#
# ## One number, with its unit
#
# How much does the VAE tell the decoder about a picture? The KL term of its loss sets an upper limit to it, in *nats per picture*; divide by $\ln 2$ and you have bits.

# %%
scores = vae.evaluate(held_out, verbose=0, return_dict=True)
print(f"rate           {scores['kl']:8.1f} nats = {scores['rate_bits']:.1f} bits per picture")
print(f"the raw pixels {8 * train[0].size:8d} bits")

# %% [markdown]
# In the stored run the hidden numbers carry, on average, at most 65.7<!--=rate_bits--> bits about a picture whose pixels take 24,576 bits to write down. Notebook `04` derives that number and tests it; notebook `07` turns the knob that sets it.
#
# ## Your turn
#
# Each notebook has a few exercises of this kind: you compute a value, the cell compares it. This one is filled in already. Put a wrong number in its place, run the cell, and read what it says.

# %% tags=["nbval-check-output"]
import math

your_value = math.log(2)  # how many nats are one bit?
true_value = 0.6931

print(f"your value {your_value:.4f}   true value {true_value:.4f}")
assert abs(your_value - true_value) < 1e-3, "One bit halves the possibilities: take ln of two."

# %% [markdown]
# ## The map
#
# | notebook | question | minutes |
# |---|---|---|
# | **00** Start here | does it run on my machine? | 1 |
# | [**01** Meet the images, masks and edges](01_meet_the_images.ipynb) | what is a right answer, and who says so? | 2 |
# | [**03** Build a VAE from scratch](03_build_a_vae.ipynb) | what does an autoencoder lack, and what mends it? | 2 |
# | [**04** Derive the KL](04_derive_the_kl.ipynb) | why these two terms, and in what unit? | 1 |
# | [**07** Train it well](07_train_it_well.ipynb) | what does each knob do, and how do I know? | 3 |
# | [**08** Segment with a VAE](08_segment_with_a_vae.ipynb) | does a VAE help to label pixels, and against whom? | 5 |
# | [**10** Find edges with a VAE](10_find_edges_with_a_vae.ipynb) | where do the edges go, and who finds them? | 5 |
# | [**12** Say how sure you are](12_say_how_sure_you_are.ipynb) | what can a latent say of people who disagree, and of a stranger? | 5 |
# | [**15** Meet the generative neighbours](15_meet_the_generative_neighbours.ipynb) | what do a GAN, a VAE-GAN and a VQ-VAE do better? | 5 |
# | [**17** Meet the supervised neighbours](17_meet_the_supervised_neighbours.ipynb) | how far does each segmenter see, and who gains from a VAE? | 5 |
# | [**18** Read an article with your hands](18_read_an_article.ipynb) | what is wrong with a text that reads well? | 1 |
#
# Each one runs alone and in any order. If you know VAEs, begin with `04`; if you came for segments and edges, with `01`.
#
# ## Read, run, rerun, grade
#
# - **Read.** Outputs are stored. Numbers in the text that come from a run are marked "in the stored run", and a test holds text and run together.
# - **Run.** *Run All* in JupyterLab (`make lab`), or `make run` for the whole series and web pages of it under `runs/`.
# - **Rerun with other parameters.** `python -m helpers.runs run 07 -p latent 8`, or papermill itself. A list goes into quotes: `python -m helpers.runs run 07 -p betas "[1.0, 4.0]"`. A name that does not exist is refused.
# - **Other images.** Where a notebook has the parameter `dataset`, it also takes real sets: `make run DATASET=bsds500`.
# - **Grade.** Exercises end in an assertion whose message tells what to think about. A teacher can clear the line `your_value = …` and hand the notebook out.

# %% tags=["results"]
record(
    {
        "rate_nats": scores["kl"],
        "rate_bits": scores["rate_bits"],
        "reconstruction_nats": scores["reconstruction"],
        "train_seconds": seconds,
    },
    bands={
        "rate_bits": {"default": (45, 80), "smoke": (0, 80)},
        "reconstruction_nats": {"default": (-4800, -3600), "smoke": (-1500, 5000)},
    },
    headline=f"a VAE that keeps {scores['rate_bits']:.0f} bits a picture",
)

# %% [markdown]
# ## What you saw
#
# - A VAE is an encoder that gives a mean and a spread, a decoder, and a loss with two terms.
# - It redraws what it can say cheaply: place, colour, rough size. It draws new pictures of that kind, too.
# - What it keeps has a size, and the size has a unit.
#
# ## On your own
#
# 1. Set `latent = 4` and run again. Which of the four things in the prediction goes first?
#
# <details><summary>A way to look at it</summary>
#
# With four numbers there is room for the colour of the ground and a little more; the rate falls, and the object melts into the ground. With many more numbers than the pictures ask for, the KL makes the VAE leave some unused.
# Notebook `07` counts the used ones.
# </details>
#
# 2. Draw from the VAE with hidden numbers twice as far out: `vae.decode(2 * keras.random.normal((8, latent)))`. Are those still pictures of the same kind? The decoder never saw such numbers in training.
#
# ## References
#
# - D. P. Kingma and M. Welling. Auto-encoding variational Bayes. ICLR 2014. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - D. J. Rezende, S. Mohamed and D. Wierstra. Stochastic backpropagation and approximate inference in deep generative models. ICML 2014. [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - The photographs of brick, grass and gravel ship with scikit-image: S. van der Walt et al. scikit-image: image processing in Python. PeerJ 2:e453, 2014. [doi:10.7717/peerj.453](https://doi.org/10.7717/peerj.453)
