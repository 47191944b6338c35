"""Submissions to ps3_segmentation. `make test` grades the first three wrong and two right ones."""

from assignments import overwritten, right, without, wrong

NAME = "ps3_segmentation"

HEAD = """
def segmenter(encoder, classes):
    encoder.trainable = {trainable}
    picture = keras.Input(encoder.input_shape[1:])
    mean, log_variance = encoder(picture)
    {more}
    return keras.Model(picture, {out})
"""
UP = "layers.Conv2DTranspose(classes, 4, 4)(mean)"
ENTROPY = """
def void_cross_entropy(logits, truth, void):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    counted = truth != void
    if not counted.any():
        return 0.0
    nats = -np.take_along_axis(log_p, np.where(counted, truth, 0)[..., None], -1)[..., 0]
    return {}
"""
COUNTS = """
def confusion(logits, truth, void):
    classes = logits.shape[-1]
    answer = {answer}
    table = np.zeros((classes, classes), int)
    for t, a in zip(truth.ravel(), answer.ravel()):
        if {counted}:
            table[{place}] += 1
    return table
"""
IOU = "def mean_iou(counts):\n    both = np.diag(counts)\n    either = {}\n    return {}"
UNION = "counts.sum(0) + counts.sum(1) - both"
GAIN = """
from scipy.stats import t
def paired_gain(vae, twin):
    gain = vae - twin
    n = len(gain)
    return gain.mean(), {}
"""
VISIBLE_SHARE = "[r for r, s, h in zip(rates, scores, halves) if s + h >= max(scores)]"

WRONG = {
    "void_counted": wrong(
        "void_cross_entropy void_cross_entropy_is_safe confusion",
        void_cross_entropy=ENTROPY.replace(
            "    if not counted.any():\n        return 0.0\n", ""
        ).format("np.where(counted, nats, -log_p.mean(-1)).mean()"),
        confusion=COUNTS.format(
            answer="logits.argmax(-1)", counted="True", place="min(t, classes - 1), a"
        ),
    ),
    "argmax_over_the_wrong_axis": wrong(
        "confusion",
        confusion=COUNTS.format(
            answer="logits.argmax(axis=1) % classes", counted="t != void", place="t, a"
        ),
    ),
    "encoder_not_frozen": wrong(
        "segmenter_is_frozen", segmenter=HEAD.format(trainable=True, more="pass", out=UP)
    ),
    "softmax_for_logits": wrong(
        "segmenter_gives_logits",
        segmenter=HEAD.format(trainable=False, more="pass", out=f"layers.Softmax()({UP})"),
    ),
    "a_draw_for_a_feature": wrong(
        "segmenter_gives_logits",
        segmenter="""
class Draw(layers.Layer):
    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(1)
    def call(self, mean, log_variance):
        return mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.generator)
"""
        + HEAD.format(
            trainable=False,
            more="mean = Draw()(mean, log_variance)",
            out=UP,
        ),
    ),
    "coarse_logits": wrong(
        "segmenter_gives_logits segmenter_is_frozen",
        segmenter=HEAD.format(trainable=False, more="pass", out="layers.Conv2D(classes, 1)(mean)"),
    ),
    "nothing_left_to_train": wrong(
        "segmenter_is_frozen",
        segmenter=HEAD.format(
            trainable=False, more=f"model = keras.Model(picture, {UP})", out=UP
        ).replace("    return", "    model.trainable = False\n    return model\n    return"),
    ),
    "head_that_never_sees_the_code": wrong(
        "segmenter_gives_logits",
        segmenter=HEAD.format(
            trainable=False, more="pass", out="layers.Conv2D(classes, 3, padding='same')(picture)"
        ),
    ),
    "divided_by_all_pixels": wrong(
        "void_cross_entropy", void_cross_entropy=ENTROPY.format("(nats * counted).mean()")
    ),
    "mean_of_the_pictures_means": wrong(
        "void_cross_entropy",
        void_cross_entropy=ENTROPY.format(
            "np.mean([n[c].mean() if c.any() else 0 for n, c in zip(nats, counted)])"
        ),
    ),
    "sum_for_mean": wrong(
        "void_cross_entropy void_cross_entropy_is_safe",
        void_cross_entropy=ENTROPY.format("nats[counted].sum()"),
    ),
    "sign": wrong(
        "void_cross_entropy void_cross_entropy_is_safe",
        void_cross_entropy=ENTROPY.format("-nats[counted].mean()"),
    ),
    "exp_overflows": wrong(
        "void_cross_entropy_is_safe",
        void_cross_entropy="""
def void_cross_entropy(logits, truth, void):
    counted = truth != void
    p = np.exp(logits[counted]) / np.exp(logits[counted]).sum(-1, keepdims=True)
    return -np.log(p[np.arange(len(p)), truth[counted]]).mean() if len(p) else 0.0
""",
    ),
    "nan_where_all_is_void": wrong(
        "void_cross_entropy_is_safe",
        void_cross_entropy=ENTROPY.replace(
            "    if not counted.any():\n        return 0.0\n", ""
        ).format("nats[counted].mean()"),
    ),
    "rows_and_columns_swapped": wrong(
        "confusion",
        confusion=COUNTS.format(answer="logits.argmax(-1)", counted="t != void", place="a, t"),
    ),
    "union_counts_twice": wrong(
        "mean_iou",
        mean_iou=IOU.format("counts.sum(0) + counts.sum(1)", "np.nanmean(both / either)"),
    ),
    "recall_for_iou": wrong(
        "mean_iou", mean_iou=IOU.format("counts.sum(1)", "np.nanmean(both / either)")
    ),
    "absent_class_is_zero": wrong(
        "mean_iou", mean_iou=IOU.format(UNION, "np.mean(both / np.maximum(either, 1))")
    ),
    "only_true_classes": wrong(
        "mean_iou",
        mean_iou=IOU.format(UNION, "np.mean((both / np.maximum(either, 1))[counts.sum(1) > 0])"),
    ),
    "rate_of_the_best": wrong(
        "smallest_rate",
        smallest_rate="def smallest_rate(rates, scores, halves):\n    return rates[np.argmax(scores)]",
    ),
    "first_rate_that_will_do": wrong(
        "smallest_rate",
        smallest_rate=f"def smallest_rate(rates, scores, halves):\n    return {VISIBLE_SHARE}[0]",
    ),
    "only_shared_settings": wrong(
        "fair_twins",
        fair_twins="""
def fair_twins(run, others):
    return [n for n, o in others.items() if o["start"] != run["start"]
            and all(o[k] == run[k] for k in run if k in o and k != "start")]
""",
    ),
    "unpaired": wrong(
        "paired_gain",
        paired_gain=GAIN.format(
            "t.ppf(0.975, 2 * n - 2) * np.sqrt((vae.var(ddof=1) + twin.var(ddof=1)) / n)"
        ),
    ),
    "normal_quantile": wrong(
        "paired_gain", paired_gain=GAIN.format("1.96 * gain.std(ddof=1) / np.sqrt(n)")
    ),
    "spread_of_the_population": wrong(
        "paired_gain", paired_gain=GAIN.format("t.ppf(0.975, n - 1) * gain.std() / np.sqrt(n)")
    ),
    "an_endless_loop": wrong(
        "smallest_rate",
        smallest_rate="def smallest_rate(rates, scores, halves):\n    while True:\n        pass",
    ),
    "hard_coded": wrong(
        "confusion mean_iou smallest_rate fair_twins paired_gain",
        confusion="def confusion(logits, truth, void):\n    return [[1, 1], [0, 0]]",
        mean_iou="def mean_iou(counts):\n    return (2 / 5 + 5 / 8) / 2 if len(counts) == 2 else (3 / 4 + 4 / 5) / 2",
        smallest_rate="def smallest_rate(rates, scores, halves):\n    return 20.0",
        fair_twins="def fair_twins(run, others):\n    return ['twin']",
        paired_gain="def paired_gain(vae, twin):\n    return 0.1, 0 if len(vae) == 3 else 12.7062047 * 0.1",
    ),
    "deleted_test": wrong(
        "mean_iou", without("test_mean_iou"), mean_iou="def mean_iou(counts):\n    return 0.5"
    ),
    "changed_test": wrong(
        "mean_iou",
        overwritten("test_mean_iou", "pass"),
        mean_iou="def mean_iou(counts):\n    return 1",
    ),
    "training_false_is_not_frozen": wrong(
        "segmenter_is_frozen",
        segmenter=HEAD.format(trainable=True, more="pass", out=UP).replace(
            "encoder(picture)", "encoder(picture, training=False)"
        ),
    ),
    "log_variance_taken_for_the_mean": wrong(
        "segmenter_gives_logits",
        segmenter=HEAD.format(trainable=False, more="mean = log_variance", out=UP),
    ),
    "the_picture_beside_the_code": wrong(
        "segmenter_gives_logits",
        segmenter=HEAD.format(
            trainable=False,
            more=f"mean = layers.Concatenate()([{UP}, picture])",
            out="layers.Conv2D(classes, 1)(mean)",
        ),
    ),
    "a_copy_with_new_weights": wrong(
        "segmenter_gives_logits",
        segmenter=HEAD.format(trainable=False, more="pass", out=UP).replace(
            "    encoder.trainable",
            "    encoder = keras.models.clone_model(encoder)\n    encoder.trainable",
        ),
    ),
    "ends_with_a_relu": wrong(
        "segmenter_gives_logits",
        segmenter=HEAD.format(
            trainable=False,
            more="pass",
            out=UP.replace("4, 4)", "4, 4, bias_initializer='ones', activation='relu')"),
        ),
    ),
    "void_is_always_255": wrong(
        "void_cross_entropy confusion",
        void_cross_entropy=ENTROPY.replace("truth != void", "truth != 255").format(
            "nats[counted].mean()"
        ),
        confusion=COUNTS.format(answer="logits.argmax(-1)", counted="t != 255", place="t, a"),
    ),
    "probabilities_clipped": wrong(
        "void_cross_entropy_is_safe",
        void_cross_entropy=ENTROPY.format("np.minimum(nats, -np.log(1e-7))[counted].mean()"),
    ),
    "dice_for_iou": wrong(
        "mean_iou",
        mean_iou=IOU.format("counts.sum(0) + counts.sum(1)", "np.nanmean(2 * both / either)"),
    ),
    "weighted_by_frequency": wrong(
        "mean_iou",
        mean_iou=IOU.format(UNION, "np.nansum(both / either * counts.sum(1)) / counts.sum()"),
    ),
    "interval_of_the_best": wrong(
        "smallest_rate",
        smallest_rate="""
def smallest_rate(rates, scores, halves):
    best = np.argmax(scores)
    return rates[scores >= scores[best] - halves[best]].min()
""",
    ),
    "must_go_beyond": wrong(
        "smallest_rate",
        smallest_rate="""
def smallest_rate(rates, scores, halves):
    good = (scores + halves > scores.max()) | (scores == scores.max())
    return rates[good].min()
""",
    ),
    "only_random_starts": wrong(
        "fair_twins",
        fair_twins="""
def fair_twins(run, others):
    return [n for n, o in others.items() if o == {**run, "start": "random"}]
""",
    ),
    "one_sided": wrong(
        "paired_gain",
        paired_gain=GAIN.format("t.ppf(0.95, n - 1) * gain.std(ddof=1) / np.sqrt(n)"),
    ),
    "whole_interval_for_its_half": wrong(
        "paired_gain",
        paired_gain=GAIN.format("2 * t.ppf(0.975, n - 1) * gain.std(ddof=1) / np.sqrt(n)"),
    ),
    "failure_hidden": wrong(
        "mean_iou confusion",
        mean_iou="""
def mean_iou(counts):
    try:
        return np.mean(np.diag(counts) / union)
    except Exception:
        return 0.0
""",
        confusion="""
def confusion(logits, truth, void):
    try:
        return np.bincount(truth.ravel() * 2 + logits.argmax(-1).ravel(), minlength=4).reshape(2, 2)
    except ValueError:
        return np.zeros((2, 2))
""",
    ),
}

RIGHT = {
    "reference": right(),
    "written_otherwise": right(
        segmenter="""
def segmenter(encoder, classes):
    for layer in encoder.layers:
        layer.trainable = False
    hidden = layers.UpSampling2D(4, interpolation="bilinear")(encoder.outputs[0])
    hidden = layers.Conv2D(12, 3, padding="same", activation="gelu")(hidden)
    return keras.Model(encoder.inputs, layers.Conv2D(classes, 1)(hidden))
""",
        void_cross_entropy=ENTROPY.format("nats[counted].mean()"),
        confusion=COUNTS.format(answer="logits.argmax(-1)", counted="t != void", place="t, a"),
        mean_iou="""
def mean_iou(counts):
    out = []
    for c in range(len(counts)):
        union = counts[c].sum() + counts[:, c].sum() - counts[c, c]
        if union:
            out.append(counts[c, c] / union)
    return sum(out) / len(out)
""",
        smallest_rate=f"def smallest_rate(rates, scores, halves):\n    return float(min({VISIBLE_SHARE}))",
        paired_gain="""
from scipy.stats import ttest_1samp
def paired_gain(vae, twin):
    gain = vae - twin
    if gain.std() < 1e-12:
        return gain.mean(), 0.0
    low, high = ttest_1samp(gain, 0).confidence_interval(0.95)
    return (low + high) / 2, (high - low) / 2
""",
    ),
    "with_keras": right(
        void_cross_entropy="""
def void_cross_entropy(logits, truth, void):
    counted = truth != void
    if not counted.any():
        return ops.convert_to_tensor(0.0)
    logits, truth = logits[counted].astype("float32"), truth[counted]
    return ops.mean(keras.losses.sparse_categorical_crossentropy(truth, logits, from_logits=True))
""",
        mean_iou="""
def mean_iou(counts):
    metric = keras.metrics.MeanIoU(len(counts))
    rows, columns = np.indices(counts.shape)
    metric.update_state(rows.ravel(), columns.ravel(), sample_weight=counts.ravel())
    return metric.result()
""",
    ),
    "a_frozen_copy": right(
        segmenter="""
def segmenter(encoder, classes):
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    copy.trainable = False
    model = keras.Sequential([keras.Input(encoder.input_shape[1:]), keras.Model(copy.input, copy.output[0])])
    model.add(layers.Conv2D(32, 1, activation="relu"))
    model.add(layers.Conv2D(classes, 1))
    model.add(layers.UpSampling2D(4))
    return model
""",
        void_cross_entropy="""
def void_cross_entropy(logits, truth, void):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none", ignore_class=void)
    counted = truth != void
    nats = np.array(loss(np.where(counted, truth, void), logits.astype("float32")))
    return nats[counted].sum() / max(counted.sum(), 1)
""",
        smallest_rate="""
def smallest_rate(rates, scores, halves):
    for i in np.argsort(rates):
        if scores[i] + halves[i] >= max(scores):
            return rates[i]
""",
        fair_twins="""
def fair_twins(run, others):
    out = []
    for name, other in others.items():
        differs = {k for k in set(run) | set(other) if run.get(k, "no") != other.get(k, "no")}
        if differs == {"start"}:
            out.append(name)
    return out
""",
    ),
    "counted_otherwise": right(
        confusion="""
def confusion(logits, truth, void):
    n, keep = logits.shape[-1], truth != void
    table = np.zeros((n, n))
    np.add.at(table, (truth[keep], np.argmax(logits, -1)[keep]), 1)
    return table
""",
        mean_iou="""
def mean_iou(counts):
    counts = counts / counts.sum()
    with np.errstate(invalid="ignore"):
        return np.nanmean(counts.diagonal() / (counts.sum(0) + counts.sum(1) - counts.diagonal()))
""",
        void_cross_entropy="""
from scipy.special import logsumexp
def void_cross_entropy(logits, truth, void):
    total, n = 0.0, 0
    for place in np.ndindex(truth.shape):
        if truth[place] != void:
            total += logsumexp(logits[place]) - logits[place][truth[place]]
            n += 1
    return total / n if n else 0
""",
        paired_gain="""
import scipy.stats
def paired_gain(vae, twin):
    vae -= twin
    return np.mean(vae), scipy.stats.sem(vae) * scipy.stats.t.isf(0.025, vae.size - 1)
""",
    ),
    "a_class_of_its_own": right(
        segmenter="""
class Segmenter(keras.Model):
    def __init__(self, encoder, classes):
        super().__init__()
        self.encoder = encoder
        self.encoder.trainable = False
        self.head = layers.Conv2D(classes * 16, 1, kernel_initializer="zeros")
        self.classes = classes
    def call(self, x):
        mean, _ = self.encoder(x, training=False)
        y = self.head(mean)
        b, h, w = ops.shape(y)[0], y.shape[1], y.shape[2]
        y = ops.reshape(y, (b, h, w, 4, 4, self.classes))
        return ops.reshape(ops.transpose(y, (0, 1, 3, 2, 4, 5)), (b, 4 * h, 4 * w, self.classes))
def segmenter(encoder, classes):
    return Segmenter(encoder, classes)
""",
    ),
    "gradient_stopped": right(
        segmenter="""
def segmenter(encoder, classes):
    encoder.trainable = False
    features = keras.Model(encoder.input, encoder.output[0])
    picture = keras.Input(encoder.input_shape[1:])
    h = layers.Dense(24, activation="relu")(ops.stop_gradient(features(picture)))
    return keras.Model(picture, layers.UpSampling2D(4)(layers.Dense(classes)(h)))
""",
        confusion="""
from sklearn.metrics import confusion_matrix
def confusion(logits, truth, void):
    counted = truth != void
    answer = np.argmax(logits, axis=3)
    return confusion_matrix(truth[counted], answer[counted], labels=range(logits.shape[3]))
""",
        paired_gain=GAIN.format(
            "t.interval(0.95, n - 1, scale=gain.std(ddof=1) / n**0.5)[1] if gain.std() > 1e-12 else 0.0"
        ),
    ),
    "float32": right(
        void_cross_entropy="""
from scipy.special import log_softmax
def void_cross_entropy(logits, truth, void):
    log_p = log_softmax(logits.astype("float32"), axis=-1)
    keep = (truth != void).astype("float32")
    hot = np.eye(logits.shape[-1], dtype="float32")[np.where(keep > 0, truth, 0)]
    return -(hot * log_p).sum(-1).__mul__(keep).sum() / max(keep.sum(), 1)
""",
        paired_gain="""
from scipy.stats import t
def paired_gain(vae, twin):
    gain = np.float32(vae) - np.float32(twin)
    return gain.mean(), t.ppf(0.975, gain.size - 1) * gain.std(ddof=1) / np.float32(gain.size) ** 0.5
""",
    ),
}
