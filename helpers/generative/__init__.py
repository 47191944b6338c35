"""Neighbours of the VAE: GANs, vector quantisation, a prior over codes, and what judges samples.

For who compares generators: `gan`, `vq`, `vqvae`, `pixelcnn`, `evaluator` (a classifier whose
features compare sets of pictures) and `samples`.

Notebooks: 15.
"""
