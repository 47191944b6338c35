"""Neighbours of the VAE: GANs, vector quantisation, a prior over codes, and what judges samples.

For who compares generators: `gan`, `vq`, `vqvae`, `pixelcnn`, `evaluator` (a classifier whose
features compare sets of pictures), `samples`, `mixture_prior` (a VAE's latents, drawn from where
its posteriors lie) and `whole_objects` (which pictures show one whole shape).

Notebooks: 00, 03 and 15.
"""
