"""What a model can say about its own doubt: several answers to one picture, and strange pictures.

For who asks how sure a model is: `evaluation` scores sets of answers beside perfect ones,
`probabilistic_unet` and `baselines` are models that draw or average them, `ood` asks whether a
picture is of the kind that was trained on.

Notebooks: 07, 12 and 13.
"""
