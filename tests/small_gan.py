"""Two small players for tests, and the step in which both learn."""

import keras
from keras import layers, ops

from helpers.backend import value_and_grad


def two_players():
    keras.utils.set_random_seed(0)
    z, x = keras.Input((2,)), keras.Input((3,))
    generator = keras.Model(
        z, layers.Dense(3)(layers.BatchNormalization()(layers.Dense(4, use_bias=False)(z)))
    )
    discriminator = keras.Model(x, layers.Dense(1)(layers.Dense(4, activation="relu")(x)))
    return generator, discriminator


def step_of(networks, optimizers, seed_generator):
    generator, discriminator = networks
    variables = [*generator.variables, *discriminator.variables]

    def step(real):
        z = keras.random.normal((8, 2), seed=seed_generator)

        def loss_of_discriminator():
            fake = generator(z, training=True)
            return ops.mean(ops.softplus(-discriminator(real))) + ops.mean(
                ops.softplus(discriminator(fake))
            )

        def loss_of_generator():
            return ops.mean(ops.softplus(-discriminator(generator(z, training=True))))

        values = []
        losses = (loss_of_discriminator, loss_of_generator)
        for loss, network, optimizer in zip(losses, networks[::-1], optimizers[::-1]):
            trained = network.trainable_variables
            rest = [v for v in variables if all(v is not t for t in trained)]
            value, gradients = value_and_grad(loss, trained, rest)
            optimizer.apply(gradients, trained)
            values.append(value)
        return ops.stack(values)

    return step
