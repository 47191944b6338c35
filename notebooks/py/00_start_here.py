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
# # Start here: draw a picture that was never there
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/00_start_here.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/00_start_here.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/00_start_here.ipynb) <!--badges-->
#
# ![Seven rows of twelve small pictures. Held out: one disc, square or triangle in each, on textured ground. Reconstructions after a minute: soft blobs of nearly the same colours in the same places. Reconstructions of the kept weights: discs, squares and triangles, most corners kept, on plain ground. New from N(0, I), kept weights: mostly bent or torn shapes, some on grounds of square patches. New from the mixture after a minute: soft blobs. New from the mixture, kept weights, two rows: one disc, square or triangle in nearly each, many with round corners.](../docs/pictures/00.png) <!--picture-->
#
# A [variational autoencoder (VAE)](../docs/site/glossary.md#term-variational-autoencoder-VAE) looks at many pictures and then draws new ones. Does it run on your machine, and what does it draw?
#
# **What you'll do**
#
# - Train a small VAE for about a minute, and set it beside the same network after a long training.
# - Draw new pictures from both, and count those that show one whole object.
#
# **What you'll learn**
#
# - What goes into a VAE, what comes out, and what it leaves out.
# - How to read, run, rerun and grade the notebooks.
#
# **What you'll need**
#
# - Some Python, and what a standard deviation and a logarithm are. No graphics card, no data to download.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (the first section measures yours), 22 minutes to read, and 1.5 GB of memory.

# %% tags=["colab"]
# On Google Colab and Kaggle this fetches the project; elsewhere it does nothing.
import os
import subprocess
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    fetch = "test -d vae-segments-edges || git clone -q --depth 1 https://github.com/vae-segments-edges/vae-segments-edges"
    install = f"{sys.executable} -m pip install -q ./vae-segments-edges"
    subprocess.run(f"({fetch}) && {install}", shell=True, check=True)
    sys.path.insert(0, os.path.abspath("vae-segments-edges"))

# %% [markdown]
# ## Your machine
#
# Each notebook keeps what you may change in one cell, the next one. The cell after it refuses a value that cannot work and says why. Then it prints what computes here; copy that line into a report of a problem.

# %% tags=["parameters"]
seed = 0  # of the pictures, the first weights and every random draw
images = 10_000  # pictures to train on
size = 32  # side of a picture in pixels
latent = 16  # K, how many latents the VAE has for one picture
epochs = 7  # passes over the pictures
batch_size = 64  # pictures in one training step
learning_rate = 0.002  # of Adam, at the start; it falls to zero along half a cosine
weights = "kept"  # go on with the kept, long-trained weights; "own": with yours
parts = 60  # Gaussians in the mixture that new pictures are drawn from
draws = 64  # new pictures of each kind

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(),
    seed=range(2**32),
    images=range(64, 60_001),
    size=[32, 64],
    latent=range(1, 257),
    epochs=range(1, 201),
    batch_size=range(1, 1025),
    learning_rate=(1e-5, 0.1),
    weights=["kept", "own"],
    parts=range(1, 65),
    draws=range(24, 1001),
)
set_up(seed)

# %% [markdown]
# Every notebook says how many minutes it runs on a machine that multiplies large matrices at 150 GF/s: 150 billion additions and multiplications a second. How fast is yours? This is a rough guess. With a graphics card, training is faster than this number says.

# %%
import math
import timeit

import keras
import numpy as np

from helpers import data, losses, models, plots, pretrained, training
from helpers.generative.mixture_prior import mixture_latents
from helpers.generative.whole_objects import one_whole_object

plots.use()

matrix = np.ones((1024, 1024), "float32")
seconds = min(timeit.repeat(lambda: matrix @ matrix, number=1, repeat=40))
speed = 2 * 1024**3 / seconds / 1e9
print(f"{speed:.0f} GF/s here: take the minutes of a notebook times {150 / speed:.1f}")

# %% [markdown]
# ## The pictures
#
# A program draws the set `shapes`: a disc, a square or a triangle on a photograph of brick, grass or gravel, with some camera noise. Here we ask for an easy version, one object on faint texture. The VAE gets the bare pictures, without names. Some are *held out*: no training sees them.

# %%
options = {
    "size": size,
    "seed": seed,
    "radius": (0.18, 0.25),  # of an object, as a share of the side
    "contrast": (0.25, 0.6),
    "texture": 0.1,
    "noise": 0.02,
    "annotators": 1,
}
train = data.load("shapes", "train", limit=images, objects=1, **options)
val = data.load("shapes", "val", limit=300, objects=1, **options)
x_train = data.to_float(train.images)  # (N, H, W, 3)
x_val = data.to_float(val.images)
print(f"{len(x_train)} pictures to train on, {len(x_val)} held out, each {x_train.shape[1:]}")

# %% [markdown]
# > **Predict first.** Such a picture is 3,072 numbers. The VAE must describe it by 16. Think of the colour of the ground, the place of the object, its corners, and the blades of grass. Which two come back after a minute of training? Which only after a long training? Which never?
#
# ## A VAE in a few lines
#
# A VAE is two networks. The [*encoder*](../docs/site/glossary.md#term-encoder) looks at a picture and gives a guess about $K$ hidden numbers, the [*latents*](../docs/site/glossary.md#term-latent-variable): a mean and a standard deviation for each. This guess is the [*posterior*](../docs/site/glossary.md#term-posterior). The [*decoder*](../docs/site/glossary.md#term-decoder) turns $K$ numbers back into a picture.
#
# In training, $K$ numbers are drawn from the posterior, and the decoder must restore the picture from them. The [loss](../docs/site/glossary.md#term-loss) adds two terms: how much the restored picture differs from the original, and how far the posterior is from the [*prior*](../docs/site/glossary.md#term-prior). The prior is the guess before seeing the picture: $\mathcal N(0, I)$, independent numbers with mean 0 and standard deviation 1.
#
# Notebook [`03`](03_build_a_vae.ipynb) builds all of this. Here the networks come ready-made; `likelihood="gaussian"` counts differences of pixels by their squares, divided by a variance that is learned, too. The loss is a part of the model, so `compile` names only an optimiser, and `fit` gets only pictures. The rest is Keras. Adam, the optimiser, changes the weights, in steps that become smaller.

# %%
vae = models.conv_vae(
    (size, size, 3),
    latent,
    likelihood="gaussian",
    seed=seed,
)
steps = epochs * math.ceil(images / batch_size)
schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
vae.compile(optimizer=keras.optimizers.Adam(schedule))
bar = training.Progress()
vae.fit(
    x_train,
    batch_size=batch_size,
    epochs=epochs,
    verbose=0,
    callbacks=[bar],
)
print(f"{steps} steps of training, {vae.count_params():,} weights")

# %% [markdown]
# This was a **demonstration**: the network can learn more than it does in a minute. So the project keeps weights of the same network after a long training, on new pictures in every step (`make weights NAME=vae-shapes32` repeats it). They fit pictures of 32×32 and 16 latents. With other values, or where the helpers were installed without them, your own weights take their place, and the next cell says so.

# %%
kept, note = pretrained.load("vae-shapes32")  # (None, None) if it is not here
if weights == "kept" and note and size == 32 and latent == 16:
    label = "kept weights"
    kept_steps = note["steps"]
else:
    kept = vae
    label = "own weights"
    kept_steps = steps
    print("No kept weights are used: all rows below show your own.")
print(f"{label}: {kept_steps:,} steps")

# %% [markdown]
# ## Two ways to draw
#
# The usual way to draw a new picture is to draw $K$ numbers from the prior $\mathcal N(0, I)$ and to decode them.
#
# The second way has two steps. All posteriors together, the [*aggregate posterior*](../docs/site/glossary.md#term-aggregate-posterior), form a cloud of latents. The second term of the loss pulls this cloud towards $\mathcal N(0, I)$. But training does not bring it all the way: the cloud keeps another form. So we draw one latent for each training picture, and fit a *mixture of 60 Gaussians* to them: 60 bumps, placed where latents are dense. To draw, choose a bump, one with many latents more often, and a point in it. Notebook [`03`](03_build_a_vae.ipynb) takes this apart.
#
# > **Predict first.** Which matters more for good new pictures: the longer training, or the way of drawing?

# %%
rng = np.random.default_rng(seed)
z_prior = rng.standard_normal((draws, latent))  # (draws, K)
z_minute = mixture_latents(vae, x_train, draws, parts, seed)
z_kept = mixture_latents(kept, x_train, draws, parts, seed)

pictures = {
    "held out": x_val,
    "reconstruction,\na minute here": vae.predict(x_val, verbose=0),  # decodes the mean
    f"reconstruction,\n{label}": kept.predict(x_val, verbose=0),
    "new, N(0, I),\na minute here": vae.decoder.predict(z_prior, verbose=0),
    f"new, N(0, I),\n{label}": kept.decoder.predict(z_prior, verbose=0),
    "new, mixture,\na minute here": vae.decoder.predict(z_minute, verbose=0),
    f"new, mixture,\n{label}": kept.decoder.predict(z_kept, verbose=0),
}  # each (N, H, W, 3)
pictures = {name: p.clip(0, 1) for name, p in pictures.items()}

# %% [markdown]
# ## Look
#
# The first twelve of each kind, and twelve more of the last; none was chosen. (Draws from $\mathcal N(0, I)$ after a minute are left out: they are fog.) The columns belong together in the first three rows only.

# %% tags=["readme-picture", "picture"]
rows = {name: p[:12] for name, p in pictures.items()}
del rows["new, N(0, I),\na minute here"]  # it is counted below
rows["twelve more\nof these"] = pictures[f"new, mixture,\n{label}"][12:24]
plots.show(
    plots.image_grid(
        list(rows.values()),
        row_labels=list(rows),
    ),
    alt="Seven rows of twelve small pictures. Held out: one disc, square or triangle in each, on textured ground. "
    "Reconstructions after a minute: soft blobs of nearly the same colours in the same places. "
    "Reconstructions of the kept weights: discs, squares and triangles, most corners kept, on plain ground. "
    "New from N(0, I), kept weights: mostly bent or torn shapes, some on grounds of square patches. "
    "New from the mixture after a minute: soft blobs. "
    "New from the mixture, kept weights, two rows: one disc, square or triangle in nearly each, many with round corners.",
)

# %% [markdown]
# The [reconstructions](../docs/site/glossary.md#term-reconstruction) answer the first prediction. After a minute, the colour of the ground and the place of the object are mostly back, and the object is a soft blob. After the long training most corners are back, too. The blades of grass and the noise never come back: this network spends its 16 numbers on colour, place and corners, which lower the loss more. (In notebook [`16`](16_count_in_codes.ipynb) a second level of latents brings a part of the texture back.) Draws from $\mathcal N(0, I)$ mostly fall where the decoder had little training: most shapes are bent, some grounds have square patches.
#
# ## How many draws show one whole object?
#
# "It looks better" depends on who looks. So a rule counts: exactly one region differs from the ground, its size is right, its colour even, its outline sharp, and a disc, a square or a triangle covers it. It forgives round corners and bent outlines. Its limits were chosen on other pictures. To see how often it is wrong, we also try it on held-out pictures and on pictures of two objects.

# %%
two = data.load("shapes", "val", limit=300, objects=2, **options)
whole = {name: one_whole_object(p) for name, p in pictures.items()}  # (N,) booleans each
whole["two objects"] = one_whole_object(data.to_float(two.images))
for name, yes in whole.items():
    print(name.replace("\n", " "), "-", yes.sum(), "of", len(yes))

# %% [markdown]
# In the stored run the rule accepts 296<!--=whole_held_out--> of 300 held-out pictures and 1<!--=whole_two--> of 300 with two objects. With the kept weights, 63<!--=whole_kept_mixture--> of 64 draws from the mixture show one whole object (95 % interval: 92<!--=kept_mixture_interval[0]*100--> to 100<!--=kept_mixture_interval[1]*100--> %), and 5<!--=whole_kept_prior--> of 64 from $\mathcal N(0, I)$. After a minute here, 2<!--=whole_own_mixture--> of 64 draws from the mixture pass, and 0<!--=whole_own_prior--> from $\mathcal N(0, I)$.
#
# So neither was enough alone: the mixture after a minute gave 2<!--=whole_own_mixture--> of 64, the long training without the mixture 5<!--=whole_kept_prior-->. (After a minute even reconstructions are too soft for the rule: it passes 19<!--=whole_own_reconstruction--> of 300.) This was measured with one training of each length, on easy pictures; the interval covers the draws, not another training. It was not checked whether a draw is close to a training picture.
#
# ## One number, with its unit
#
# How far is a posterior from the prior? The measure is the [*Kullback–Leibler divergence*](../docs/site/glossary.md#term-KL-divergence), KL for short; it is the second term of the loss. A latent whose posterior equals the prior, for every picture, has a KL of 0 and says nothing. The KL grows when the standard deviation shrinks below 1 or the mean moves away from 0.
#
# The sum over all latents, averaged over pictures, is the [*rate*](../docs/site/glossary.md#term-rate). Its unit is the [*nat*](../docs/site/glossary.md#term-nat). Bits use the logarithm of base 2, nats the natural one: one nat is $1/\ln 2 \approx 1.44$ bits.
#
# > **Predict first.** The pixels of a picture take 32 · 32 · 3 · 8 = 24,576 bits. Is the rate about 100, 1,000 or 10,000 bits?

# %%
rates = []  # nats per picture
for model, name in [(vae, "a minute here"), (kept, label)]:
    kl = losses.gaussian_kl(*model.encode(x_val))  # from means and log variances, (N,)
    rates.append(float(keras.ops.mean(kl)))
    bits = rates[-1] / math.log(2)
    print(f"{name:14} {rates[-1]:5.1f} nats = {bits:5.1f} bits")

# %% [markdown]
# About 100. In the stored run the rate is 82<!--=rate_bits--> bits after a minute and 98<!--=rate_bits_kept--> with the kept weights: 16 drawn numbers tell the decoder at most so much about a picture, on average (`08` says why *at most*). Beside the pixels' storage this is little, but storage is not information. The camera noise alone has a standard deviation of 0.02, or $s = 5.1$ of 255 grey levels. To store it takes $\tfrac12\log_2(2\pi e s^2) = 4.4$ bits a value (its *[entropy](../docs/site/glossary.md#term-entropy)*), or 13,500 bits a picture, and nobody needs it. Notebook [`04`](04_derive_the_kl.ipynb) derives the KL, and [`06`](06_set_the_rate.ipynb) changes the rate.
#
# ## Your turn
#
# In an exercise you compute a value, and the cell compares. A wrong value stops with a hint.
#
# **Exercise.** Disc, square and triangle are equally likely. How many nats does it take to say which one a picture shows? (For two equally likely cases: one bit, $\ln 2$ nats.)

# %% tags=["nbval-check-output"]
your_value = None  # put your number here
true_value = math.log(3)

if your_value is None:
    print("your value None   true value ?")
else:
    print(f"your value {your_value}   true value {true_value:.4f}")
    hint = "N equally likely cases take ln N nats."
    assert abs(your_value - true_value) < 0.01, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\ln 3 \approx 1.0986$ nats: little beside the rate.
# </details>
#
# ## The map
#
# Minutes to run (on 2 CPU cores at 150 GF/s) and to read.
#
# | notebook | question | run | read |
# |---|---|---|---|
# | **00** Start here | does it run here, and what does a VAE draw? | 1 | 22 |
# | [**01** Score segments](01_score_segments.ipynb) | what is a good mask? | 1 | 45 |
# | [**02** Score edges](02_score_edges.ipynb) | what is a good edge map when people disagree? | 2 | 43 |
# | [**03** Build a VAE from scratch](03_build_a_vae.ipynb) | what does an [autoencoder](../docs/site/glossary.md#term-autoencoder) lack, and what mends it? | 2 | 45 |
# | [**04** Derive the KL](04_derive_the_kl.ipynb) | why two terms, and why a sum? | 1 | 44 |
# | [**05** Test the bound](05_test_the_bound.ipynb) | how far is it from the truth, and which published losses are wrong? | 1 | 45 |
# | [**06** Set the rate](06_set_the_rate.ipynb) | what do β and σ change, and where does the blur come from? | 1 | 42 |
# | [**07** Train it well](07_train_it_well.ipynb) | is it collapsed, overfitted, trained enough? | 3 | 45 |
# | [**08** Segment reconstructions](08_segment_reconstructions.ipynb) | does it help to label the reconstruction? | 3 | 45 |
# | [**09** Segment from features](09_segment_from_features.ipynb) | do the VAE's features help, and against which controls? | 3 | 45 |
# | [**10** Find edges](10_find_edges.ipynb) | does a VAE help to find edges? | 3 | 45 |
# | [**11** Label photographs](11_label_photographs.ipynb) | how good does a small network get on photographs within two hours, and on yours? | 1 | 45 |
# | [**12** Draw several answers](12_draw_several_answers.ipynb) | what can a latent say of people who disagree? | 4 | 45 |
# | [**13** Spot the strange](13_spot_the_strange.ipynb) | does a VAE know an image, or a part of one, that it has not seen? | 3 | 45 |
# | [**14** Repair masks](14_repair_masks.ipynb) | can a VAE of masks repair a poor segmentation? | 2 | 45 |
# | [**15** Meet GANs](15_meet_gans.ipynb) | what do a GAN and a VAE-GAN do better, and what can they not be asked? | 2 | 45 |
# | [**16** Count in codes](16_count_in_codes.ipynb) | a discrete latent, a deeper one, or a learned prior? | 3 | 45 |
# | [**17** Compare segmenters](17_compare_segmenters.ipynb) | what does each get wrong, and how far does it see? | 3 | 45 |
# | [**18** Read an article with your hands](18_read_an_article.ipynb) | what is wrong with a text that reads well? | 1 | 44 |
#
# Each one runs alone and in any order. If you know VAEs, begin with `04`; if you came for segments and edges, with `01` and `02`.
#
# ## Read, run, rerun, grade
#
# - **Read.** Outputs are stored. A test compares the marked numbers in the text with the stored run.
# - **Run.** *Run All* in JupyterLab (`make lab`), or `make run` for the whole series, with web pages.
# - **Rerun.** After `source .venv/bin/activate`: `python -m helpers.runs run 00 -p epochs 20`; a list goes into quotes: `python -m helpers.runs run 06 -p betas "[1.0, 4.0]"`. Plain papermill works as well: `papermill notebooks/00_start_here.ipynb out.ipynb -p epochs 20`. `python -m helpers.runs list 06` shows the parameters of a notebook.
# - **Your own pictures.** Where the parameter `dataset` allows `"folder"`: `python -m helpers.runs run 06 -p dataset folder -p path my_pictures`.
# - **Grade.** Exercises end in an assertion; `make assignments` writes problem sets with the answers left out.

# %% tags=["results"]
from scipy.stats import binomtest

names = ["held_out", "own_reconstruction", "kept_reconstruction", "own_prior", "kept_prior"]
names += ["own_mixture", "kept_mixture", "two"]
interval = binomtest(int(whole[f"new, mixture,\n{label}"].sum()), draws).proportion_ci(
    method="wilson"
)
counts = {f"whole_{n}": int(yes.sum()) for n, yes in zip(names, whole.values())}
record(
    {
        **counts,
        "rate_nats": rates[0],
        "rate_bits": rates[0] / math.log(2),
        "rate_bits_kept": rates[1] / math.log(2),
        "kept_mixture_interval": [interval.low, interval.high],
        "steps": steps,
        "kept_steps": kept_steps,
    },
    bands={
        "rate_bits": {"default": (60, 120), "smoke": (0, 120)},
        "whole_held_out": {"default": (291, 300)},
        "whole_two": {"default": (0, 30)},
        "whole_kept_mixture": {"default": (0, draws), "smoke": (0, 24)},
    },
    headline=f"{counts['whole_kept_mixture']} of {draws} new pictures show one whole object",
)

# %% [markdown]
# ## What you saw
#
# - A VAE is an encoder, a decoder and a loss of two terms.
# - A minute of training keeps colour and place; a long one keeps corners, too. Both leave out texture and noise.
# - Good new pictures needed long training and latents from where the posteriors lie.
# - The rate says, in nats, how much about a picture can reach the decoder.
#
# ## Check yourself
#
# 1. What does the encoder give for one picture?
# 2. Why does texture not come back, even after a long training?
# 3. The kept weights draw few whole shapes from $\mathcal N(0, I)$. Does the fault lie in the decoder?
# 4. A latent's posterior is the prior, for every picture. What is its KL, and what does it tell the decoder?
# 5. Why does the rule also count pictures of two objects?
#
# <details><summary>Answers</summary>
#
# 1. A mean and a standard deviation for each latent: the posterior.
# 2. The network spends its 16 numbers on colour, place and corners, which lower the loss more.
# 3. Not in the decoder alone. Training left a difference between the cloud of latents and the prior, and the decoder has learned the cloud.
# 4. Its KL is 0, and it tells nothing.
# 5. A rule that accepts everything would also say "64 of 64".
# </details>
#
# ## On your own
#
# 1. Set `latent = 4` and `epochs = 30`. What do the reconstructions lose beside those of 16 latents? (Own weights only.)
# 2. Set `parts = 1`, a single Gaussian. How many draws are whole, and what does that say about the cloud?
#
# ## References
#
# - D. P. Kingma and M. Welling. Auto-encoding variational Bayes. ICLR 2014. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - D. J. Rezende, S. Mohamed and D. Wierstra. Stochastic backpropagation and approximate inference in deep generative models. ICML 2014. [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - The second way of drawing: P. Ghosh et al. From variational to deterministic autoencoders. ICLR 2020. [arXiv:1903.12436](https://arxiv.org/abs/1903.12436)
# - The photographs: S. van der Walt et al. scikit-image: image processing in Python. PeerJ 2:e453, 2014. [doi:10.7717/peerj.453](https://doi.org/10.7717/peerj.453)
