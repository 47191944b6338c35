"""Whole comparisons that run for minutes or hours, each in one file.

For who wants to know, or to repeat, how a comparison was done. `pretraining`: one network from
several first weights. `reconstructions`: classifiers of what VAEs of several rates give.
`label_budgets`: starts of one network with few labels and with many. `segmenters`: four networks
and single changes of them. `photo_training`, `photo_edges`: long trainings on whole photographs.
`photo_views`: one answer from several sizes of a photograph.

Notebooks: 08, 09, 11 and 17.
"""
