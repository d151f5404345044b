"""Makes the pattern model: `python -m recipe.pattern --help`."""

import numpy as np

from . import backbone, common, folds, measure, package, pictures
from .head import Settings, temperature, train

LABELS = ["solid", "striped", "dotted", "checkered", "floral", "zigzag"]
SETTINGS = Settings(epochs=10, decay=3e-3, dropout=0.3, smoothing=0.05)
VERSION = "1.0.0"
SIZE = 160
VIEWS = 8


def variants(found, rng):
    """Each picture as it is, and parts of it turned, mirrored and in other light. Fabric has no upper side; a garment has."""
    yield [p.pixels for p in found]
    for _ in range(VIEWS):
        yield (altered(p, rng) for p in found)


def altered(picture, rng):
    drawn = picture.origin == "rendered"
    image = pictures.crop(picture.pixels, rng, 0.8 if drawn else 0.4, 1.1 if drawn else 1.3)
    if not drawn:
        image = image.rotate(90 * int(rng.integers(4)), expand=True)
    image = pictures.mirror(image) if rng.random() < 0.5 else image
    return pictures.relight(image, rng, 0.15 if drawn else 0.3)


def main():
    options = common.arguments(__doc__)
    rng = np.random.default_rng(2)
    training, holdout, broken = pictures.load(pictures.fabrics(options.data / "patterns"))
    drawn, drawn_holdout = common.rendered(options.rendered, "pattern", LABELS)
    close_ups = training + holdout
    print(f"fabrics: {len(training)} + {len(holdout)} held out, {len(broken)} do not decode; rendered: {len(drawn)} + {len(drawn_holdout)}")

    probe = backbone.Probe(options.backbone, SIZE, common.TAPS)
    everything = close_ups + drawn
    truth = np.array([LABELS.index(p.label) for p in everything])
    real = np.array([p.origin == "photograph" for p in everything])
    shipped = np.arange(len(everything)) < len(training)
    shipped |= ~real
    views = [common.features(probe, images, SIZE) for images in variants(everything, rng)]
    weights = weigh(truth, real)

    fold = np.full(len(everything), -1)  # rendered pictures are in every training set and in no test
    fold[real] = folds.grouped(truth[real], [p.group for p in close_ups], 5)
    logits = np.zeros((len(everything), len(LABELS)))
    for index in range(5):
        logits[fold == index] = fit(views, truth, weights, fold != index).logits(views[0][fold == index])
    warmth = temperature(logits[real], truth[real])
    threshold = common.calibrated(logits[real], truth[real], warmth)

    model = common.assemble(options.backbone, fit(views, truth, weights, shipped), len(LABELS), SIZE)
    tables = {
        "Fabrics, five-fold cross-validation": measure.confusion(truth[real], logits[real].argmax(axis=1), len(LABELS)),
        "Close-ups held out (of fabrics seen)": common.evaluate(model, holdout, LABELS, SIZE),
    }
    if drawn_holdout:
        tables["Rendered pictures held out"] = common.evaluate(model, drawn_holdout, LABELS, SIZE)
    for title, table in tables.items():
        print(f"{title}: {measure.accuracy(table):.4f} of {table.sum()}")

    cost = common.cpu_ms(model, SIZE)
    fabrics = len({p.group for p in close_ups})
    package.write(
        options.out,
        model,
        name="pattern",
        version=VERSION,
        attribute="pattern",
        labels=LABELS,
        size=SIZE,
        threshold=threshold,
        temperature=warmth,
        cost_ms=cost,
        licence="Apache-2.0",
        card=card(model, tables, len(training), len(holdout), fabrics, len(drawn), broken, warmth, threshold, cost),
    )


def weigh(truth, real):
    """Every pattern counts the same within photographs and within rendered pictures, and both kinds count the same."""
    weights = np.zeros(len(truth))
    for origin in (True, False):
        chosen = real == origin
        if chosen.any():
            counts = np.bincount(truth[chosen], minlength=len(LABELS))
            raw = 1.0 / counts[truth[chosen]]
            weights[chosen] = raw / raw.sum()
    return weights


def fit(views, truth, weights, chosen):
    features = np.concatenate([view[chosen] for view in views])
    return train(features, np.tile(truth[chosen], len(views)), len(LABELS), SETTINGS, np.tile(weights[chosen], len(views)))


def card(model, tables, training, holdout, fabrics, drawn, broken, warmth, threshold, cost):
    sections = "\n".join(common.section(title, table, LABELS) for title, table in tables.items())
    return f"""# pattern {VERSION}

Says which of {len(LABELS)} patterns the fabric in a picture has: {", ".join(LABELS)}.

| | |
|---|---|
| input | {SIZE} x {SIZE} RGB, stretched, (x - 127.5) / 127.5 |
| size | {len(model):,} bytes |
| CPU | {cost} ms a picture (ONNX Runtime, one thread, where the model was made) |
| licence | Apache-2.0 (backbone Apache-2.0, close-ups free to use without restriction) |
| temperature | {warmth}, by the cross-validation below |
| threshold | {threshold}: from there at least 9 of 10 labels were right in the cross-validation |

## How it was made
{common.HOW}
Close-ups: {training + holdout} of {fabrics} fabrics, folder FingerCamera of github.com/lstearns86/clothing-pattern-dataset @c5b951c3 (free to use without restriction; Medeiros et al.,
ASSETS '17), each as it is and in {VIEWS} random parts, turned, mirrored and in other light; {len(broken)} did not decode. Pictures rendered by heurpipe's simulator: {drawn}.

## The split
A run of consecutive file numbers within a pattern shows one fabric. Cross-validation keeps the pictures of a fabric together, so that each is judged by a
model that has never seen that fabric; the model that is shipped is trained on all but the pictures held out by hash.
{common.SPLIT}
{sections}
## Limits
The close-ups show {fabrics} fabrics under one camera's bluish light; on photographs of whole garments nothing but rendered pictures has taught it, and nothing
has measured it. Prints that are none of the six patterns come out as the nearest, often as floral.
"""


if __name__ == "__main__":
    main()
