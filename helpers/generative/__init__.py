"""Neighbours of the VAE: GANs, vector quantisation, a prior over codes, and what judges samples.

`gan`, `vq`, `vqvae`, `pixelcnn`, `evaluator` (a classifier whose features compare sets of
pictures) and `samples`. Notebook 08.
"""
