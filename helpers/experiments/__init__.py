"""Whole comparisons that run for minutes or hours, each in one file.

`pretraining`: one network from several first weights (05, 09). `photo_training`, `photo_edges`:
long trainings on whole photographs (05, 06).
"""
