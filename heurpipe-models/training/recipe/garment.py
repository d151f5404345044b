"""Makes the garment model: `python -m recipe.garment --help`."""

import numpy as np

from . import backbone, common, folds, measure, package, pictures
from .head import Settings, temperature, train

LABELS = ["t-shirt", "pants", "longsleeve", "shoes", "dress", "shirt", "outwear", "shorts", "hat", "skirt"]
SETTINGS = Settings(epochs=12, decay=3e-3, dropout=0.3, smoothing=0.05)
VERSION = "1.0.0"
SIZE = 128


def variants(images, rng):
    """Each picture as it is, mirrored, and two random parts of it in other light."""
    yield images
    yield (pictures.mirror(image) for image in images)
    for _ in range(2):
        yield (altered(image, rng) for image in images)


def altered(image, rng):
    part = pictures.relight(pictures.crop(image, rng, 0.75, 1.15), rng, 0.2)
    return pictures.mirror(part) if rng.random() < 0.5 else part


def main():
    options = common.arguments(__doc__)
    rng = np.random.default_rng(1)
    photographs = pictures.labelled_by_csv(options.data / "clothing", "label", "photograph", LABELS)
    training, holdout, broken = pictures.load(photographs)
    drawn, drawn_holdout = common.rendered(options.rendered, "label", LABELS)
    print(f"photographs: {len(training)} + {len(holdout)} held out, {len(broken)} do not decode; rendered: {len(drawn)} + {len(drawn_holdout)}")

    probe = backbone.Probe(options.backbone, SIZE, common.TAPS)
    seen = training + drawn
    truth = np.array([LABELS.index(p.label) for p in seen])
    real = np.array([p.origin == "photograph" for p in seen])
    views = [common.features(probe, images, SIZE) for images in variants([p.pixels for p in seen], rng)]
    weights = weigh(truth, real)

    fold = folds.grouped(truth, [str(i) for i in range(len(seen))], 5)
    logits = np.zeros((len(seen), len(LABELS)))
    for index in range(5):
        logits[fold == index] = fit(views, truth, weights, fold != index).logits(views[0][fold == index])
    cross = measure.confusion(truth[real], logits[real].argmax(axis=1), len(LABELS))
    warmth = temperature(logits[real], truth[real])
    threshold = common.calibrated(logits[real], truth[real], warmth)

    model = common.assemble(options.backbone, fit(views, truth, weights, np.ones(len(seen), bool)), len(LABELS), SIZE)
    tables = {"Photographs held out": common.evaluate(model, holdout, LABELS, SIZE)}
    if drawn_holdout:
        tables["Rendered pictures held out"] = common.evaluate(model, drawn_holdout, LABELS, SIZE)
    for title, table in tables.items():
        print(f"{title}: {measure.accuracy(table):.4f} of {table.sum()}")

    cost = common.cpu_ms(model, SIZE)
    package.write(
        options.out,
        model,
        name="garment",
        version=VERSION,
        attribute="garment",
        labels=LABELS,
        size=SIZE,
        threshold=threshold,
        temperature=warmth,
        cost_ms=cost,
        licence="Apache-2.0",
        card=card(model, tables, cross, len(training), len(holdout), len(drawn), broken, warmth, threshold, cost),
    )


def weigh(truth, real):
    """Rare labels count more, by the root of how rare they are; rendered pictures together half as much as photographs."""
    weights = np.zeros(len(truth))
    for origin, share in ((True, 1.0), (False, 0.5)):
        chosen = real == origin
        if chosen.any():
            counts = np.bincount(truth[chosen], minlength=len(LABELS))
            raw = 1.0 / np.sqrt(counts[truth[chosen]])
            weights[chosen] = raw / raw.sum() * share
    return weights


def fit(views, truth, weights, chosen):
    features = np.concatenate([view[chosen] for view in views])
    return train(features, np.tile(truth[chosen], len(views)), len(LABELS), SETTINGS, np.tile(weights[chosen], len(views)))


def card(model, tables, cross, training, holdout, drawn, broken, warmth, threshold, cost):
    sections = "\n".join(common.section(title, table, LABELS) for title, table in tables.items())
    return f"""# garment {VERSION}

Says which of {len(LABELS)} garments a picture shows: {", ".join(LABELS)}. One garment a picture, laid out, hung or worn; a picture of
something else gets a label too, mostly with little confidence.

| | |
|---|---|
| input | {SIZE} x {SIZE} RGB, stretched, (x - 127.5) / 127.5 |
| size | {len(model):,} bytes |
| CPU | {cost} ms a picture (ONNX Runtime, one thread, where the model was made) |
| licence | Apache-2.0 (backbone Apache-2.0, photographs CC0-1.0) |
| temperature | {warmth}, by five-fold cross-validation on the training photographs |
| threshold | {threshold}: from there at least 9 of 10 labels were right in that cross-validation |

## How it was made
{common.HOW}
Photographs: {training} of github.com/alexeygrigorev/clothing-dataset @7ed86a9c (CC0-1.0) with the ten commonest labels, children's among them, each as it
is, mirrored, and in two random parts; {len(broken)} did not decode. Pictures rendered by heurpipe's simulator: {drawn}. {holdout} photographs were held out.
Five-fold cross-validation on the training photographs: {measure.accuracy(cross):.3f}.

## The split
{common.SPLIT}
{sections}
## Limits
Shirts, long sleeves and t-shirts are taken for one another most often: their sleeves are often folded away. Garments outside the ten labels (polo, blazer,
hoodie, ...) come out as the nearest of them. The photographs are of garments on their own; street pictures of several people are not what it has learnt.
"""


if __name__ == "__main__":
    main()
