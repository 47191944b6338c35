# %% [markdown]
# # A tiny assignment, for the tests of the grading itself

# %% readonly="setup"
STEP = 1  # redrawn from [1, 2, 3, 5, 7]


# %% solution="double"
def double(number):
    ### BEGIN SOLUTION
    return number + number
    ### END SOLUTION


# %% test="double" points=2
assert double(1) == 2, "Twice one is two."
### BEGIN HIDDEN TESTS
secret_of_the_tests = 123456
assert abs(double(secret_of_the_tests) - 246912) == 0, "Other numbers have doubles too."
### END HIDDEN TESTS


# %% solution="next_step"
def next_step(number):
    ### BEGIN SOLUTION
    return number + STEP
    ### END SOLUTION


# %% test="next_step" points=1
assert next_step(4) == 4 + STEP, "One step further."
### BEGIN HIDDEN TESTS
assert next_step(41_000) == 41_000 + STEP, "One step further, from anywhere."
### END HIDDEN TESTS

# %% [markdown] answer="why" points=1
# Because I say so.
