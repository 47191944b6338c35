"""Whole comparisons that run for minutes or hours, each in one file.

For who wants to know, or to repeat, how a comparison was done. `pretraining`: one network from
several first weights. `reconstructions`: classifiers of what VAEs of several rates give.
`label_budgets`: starts of one network with few labels and with many. `photo_recipes`,
`photographs`: trainings on whole photographs, long ones and those of one's own pictures.
`photo_views`: what a network says of a photograph, from one view or from several.

Notebooks: 08, 09, 11 and 17.
"""
