# %% [markdown]
# # Count dots
#
# <!--badges-->
#
# <!--picture-->
#
# A notebook for the tests of the notebooks' tests. It obeys every rule of the series and it is
# small enough to be run while you wait.
#
# **What you'll do.** Draw a few dots on a line, count them, and add their heights up.
#
# **What you'll learn.** That a sum of equal steps grows with the square of their number.
#
# **What you'll need.** 1 minute and 0.1 GB of memory.

# %% tags=["colab"]

# %% tags=["parameters"]
dataset = "shapes"  # data set; nothing is read from it here
count: int = 5  # number of dots
step = 0.5  # height that each dot adds to the one before
label = None  # text on the horizontal axis

# %%
import matplotlib.pyplot as plt

from helpers import plots
from helpers.runs import check_parameters, record

check_parameters(
    globals(),
    dataset=["shapes", "camvid"],
    count=range(2, 100),
    step=(0.0, 1.0),
    label={"or_none": str},
)
# set_up(seed) would stand here; this notebook needs neither Keras nor chance.

# %% [markdown]
# ## How high does the last dot lie?
#
# The first dot lies on the axis and each further one a step above the one before. Write down how
# high the last one lies before you look. The height of the last dot is the step times one less
# than the number of dots, because the first dot took no step at all. A line through all of them
# has the step as its slope, so the picture below shows a straight line whatever the parameters.

# %% tags=["picture"]
heights = [step * i for i in range(count)]
figure, axes = plt.subplots(figsize=(3, 2))
axes.plot(heights, "o")
axes.set(xlabel=label or "dot", ylabel="height (pixels)")
alt = "A few dots rise to the right in a straight line; the first lies at 0 & <1."
plots.show(figure, alt=alt)

# %% tags=["nbval-check-output"]
print("two steps are", 2 * 0.5, "pixels high")
assert 2 * 0.5 == 1.0

# %% tags=["results"]
record(
    {"total": 1234.5 * sum(heights), "last": -heights[-1], "heights": heights},
    bands={"total": {"default": (6000, 6500), "smoke": (1500, 2000)}},
    headline=f"{count} dots, the last at {heights[-1]:.1f}",
)

# %% [markdown]
# ## What you saw
#
# In the stored run the heights add up to 1,000.0<!--=total--> (scaled), that is
# 1.0<!--=total*0.001--> thousand; the last dot lies −1.00<!--=last--> below its mirror image, and
# the second at 9.9<!--=heights[1]-->. Twice as many dots make about four times the sum.
#
# ## On your own
#
# Find the number of dots for which the sum passes one hundred.
#
# ## References
#
# - Okabe, M. and Ito, K. (2008). Color Universal Design. <https://jfly.uni-koeln.de/color/>
# - Kingma, D. P. and Welling, M. (2013). Auto-Encoding Variational Bayes. arXiv:1312.6114
