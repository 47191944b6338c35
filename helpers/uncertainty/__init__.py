"""What a model can say about its own doubt: several answers to one picture, and strange pictures.

For who asks how sure a model is: `evaluation` scores sets of answers beside perfect ones,
`probabilistic_unet` has the parts of a model that draws them, `baselines` what it is compared
with; `ood` asks whether a picture is of the kind that was trained on.

Notebooks: 07, 12 and 13.
"""
