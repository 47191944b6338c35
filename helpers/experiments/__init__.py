"""Whole comparisons that run for minutes or hours, each in one file.

For who wants to know, or to repeat, how a comparison was done. `reconstructions`: classifiers of
what VAEs of several rates give. `label_budgets`: starts of one network with few labels and with
many. `odd_parts`: maps of flaws from a VAE and from its rivals. `several_answers`: a latent that
draws answers, beside its controls and perfect answers. `mask_repairs`: filters and drawn label
maps; `mask_sets` has the maps, and `mask_comparison` sets repairs side by side. `segmenters`: four
networks and single changes of them. `photo_recipes`, `photographs`: trainings on whole photographs,
long ones and those of one's own pictures. `photo_views`: what a network says of a photograph, from
one view or from several. `own_network`: a network for one's own pictures, by one command;
`own_scores`: its scores and files. `latents`: several trainings of models with one vector, codes,
or two levels of latents.

Notebooks: 08, 09, 11 to 14 and 17.
"""
