"""Pictures: which ones there are, which are held out, and how they become tensors."""

import csv
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

HOLDOUT_SHARE = 0.15


@dataclass
class Picture:
    """One labelled picture on disk."""

    path: Path
    label: str
    origin: str  # "photograph" or "rendered"
    group: str = ""  # pictures of one group never stand on both sides of a cross-validation
    pixels: Image.Image = field(default=None, repr=False)


def in_holdout(data: bytes) -> bool:
    """The split rule, the same as in `check.rs`: by the picture's own bytes, so that no list has to be kept."""
    first = int(hashlib.sha256(data).hexdigest()[:8], 16)
    return first / 2**32 < HOLDOUT_SHARE


def kebab(label: str) -> str:
    return "-".join(label.strip().lower().split())


def load(pictures):
    """Decodes every picture; returns those that decode, in (training, holdout), and the paths of those that do not."""
    training, holdout, broken = [], [], []
    for picture in pictures:
        data = picture.path.read_bytes()
        try:
            with Image.open(picture.path) as opened:
                picture.pixels = opened.convert("RGB")
        except OSError:
            broken.append(picture.path)
            continue
        (holdout if in_holdout(data) else training).append(picture)
    return training, holdout, broken


def labelled_by_csv(folder: Path, column: str, origin: str, known=None, images: str = "images"):
    """Pictures of a folder with a labels.csv; rows whose label is not among `known` are left out."""
    folder = Path(folder)
    found = []
    with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            label = kebab(row[column])
            if known is not None and label not in known:
                continue
            path = _file_of(folder, row["image"])
            if path is not None:
                found.append(Picture(path, label, origin))
    return sorted(found, key=lambda p: p.path.name)


def _file_of(folder: Path, name: str):
    for base in (folder / "images", folder):
        for candidate in (base / name, base / f"{name}.jpg"):
            if candidate.is_file():
                return candidate
    return None


def fabrics(folder: Path):
    """Fabric close-ups in a folder per pattern; a run of consecutive file numbers shows one fabric."""
    found = []
    for sub in sorted(Path(folder).iterdir()):
        if not sub.is_dir():
            continue
        label = sub.name.replace(" ", "").lower()
        group, last = "", None
        for path in sorted(sub.glob("*.jpg")):
            number = int(path.stem.split("_")[-1])
            if last is None or number != last + 1:
                group = f"{label}/{number:05}"
            last = number
            found.append(Picture(path, label, "photograph", group))
    return found


def stretch(image: Image.Image, size: int) -> np.ndarray:
    """The resize that model.toml names: the whole picture to size x size, bilinear with anti-aliasing, HWC u8."""
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), dtype=np.uint8)


def crop(image: Image.Image, rng: np.random.Generator, least: float, squeeze: float = 1.0) -> Image.Image:
    """A random part that keeps at least `least` of each side, its sides' ratio changed by at most `squeeze`."""
    width, height = image.size
    part = rng.uniform(least, 1.0)
    ratio = rng.uniform(1.0, squeeze)
    w = max(8, int(width * min(1.0, part * (ratio if rng.random() < 0.5 else 1.0))))
    h = max(8, int(height * min(1.0, part * (ratio if rng.random() < 0.5 else 1.0))))
    left = int(rng.integers(0, width - w + 1))
    top = int(rng.integers(0, height - h + 1))
    return image.crop((left, top, left + w, top + h))


def mirror(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def relight(image: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    """Other light: a gain and an offset per channel, as another camera or lamp would give."""
    pixels = np.asarray(image, dtype=np.float32)
    gain = 1.0 + rng.uniform(-strength, strength) + rng.uniform(-strength / 2, strength / 2, size=3)
    offset = rng.uniform(-20, 20) * strength
    return Image.fromarray(np.clip(pixels * gain + offset, 0, 255).astype(np.uint8))
