"""Neighbours of the VAE: GANs, vector quantisation, a prior over codes, and what judges samples.

For who compares generators: `gan`, `vq`, `quantised` (a VQ-VAE as a Keras model), `pixelcnn`,
`evaluator` (a classifier whose features compare sets of pictures), `beside_real` (scores
of draws and bounds), `mixture_prior` (a VAE's latents, drawn from where its posteriors lie),
`whole_objects` (which pictures show one whole shape) and, for who trains a VAE, `learned_sigma`.

Notebooks: 00, 03, 06, 15 and 16.
"""
