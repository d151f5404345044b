//! From layers to pixels: coverage by tiny-skia, light and cloth by hand.

use image::RgbImage;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{FillRule, Mask, Path, Stroke, Transform};

use super::backdrop::Backdrop;
use super::fabric::Fabric;
use super::grid::{Bounds, Grid, silhouette};
use super::noise::{Grain, Noise, mix3, scale3};
use super::sketch::{Layer, Paint};

/// Soft shapes (shadows, relief, folds) are computed on a grid this many times coarser than the picture.
const COARSE: usize = 4;

/// Where the garment lies in the picture and how light falls on it.
pub(crate) struct Scene {
    width: u32,
    height: u32,
    transform: Transform,
    inverse: Transform,
    /// Picture pixels per garment unit.
    scale: f32,
    /// Direction the light comes from, as a unit vector in the picture.
    light: (f32, f32),
    contrast: f32,
    exposure: [f32; 3],
    seed: u32,
}

impl Scene {
    /// Chooses scale, rotation, position, light and white balance.
    pub(crate) fn new(width: u32, height: u32, rng: &mut ChaCha8Rng) -> Self {
        let fit = (width as f32 / 2.0).min(height as f32 / 2.5);
        let scale = fit * rng.random_range(0.74..0.95);
        let angle: f32 = rng.random_range(-7.0..7.0);
        let shift = |rng: &mut ChaCha8Rng| fit * rng.random_range(-0.07..0.07);
        let transform = Transform::from_scale(scale * rng.random_range(0.95..1.05), scale)
            .post_concat(Transform::from_rotate(angle))
            .post_translate(
                width as f32 / 2.0 + shift(rng),
                height as f32 / 2.0 + shift(rng),
            );
        let light: f32 = rng.random_range(-2.4..-0.7);
        let brightness = rng.random_range(0.93..1.06);
        let warmth = rng.random_range(-0.025..0.025);
        Self {
            width,
            height,
            transform,
            inverse: transform.invert().unwrap_or_default(),
            scale,
            light: (light.cos(), light.sin()),
            contrast: rng.random_range(0.7..1.2),
            exposure: [
                brightness * (1.0 + warmth),
                brightness,
                brightness * (1.0 - warmth),
            ],
            seed: rng.random(),
        }
    }

    /// Paints backdrop, shadow and layers, in this order.
    pub(crate) fn paint(&self, layers: &[Layer], backdrop: &Backdrop, fabric: &Fabric) -> RgbImage {
        let noise = Noise::new(self.seed);
        let mut canvas = self.backdrop(layers, backdrop, &noise);
        let cloth = self.cloth(fabric, &noise);
        if let Some(mut mask) = Mask::new(self.width, self.height) {
            for layer in layers {
                match layer {
                    Layer::Fill {
                        path,
                        paint,
                        relief,
                    } => {
                        let light = self.light(&cloth, path, *paint, *relief);
                        self.paint_fill(&mut canvas, &mut mask, path, *paint, &cloth, &light);
                    }
                    Layer::Seam { path, width, depth } => {
                        self.paint_seam(&mut canvas, &mut mask, path, *width, *depth)
                    }
                }
            }
        }
        self.develop(&canvas)
    }

    /// The backdrop with the garment's shadow on it.
    fn backdrop(&self, layers: &[Layer], backdrop: &Backdrop, noise: &Noise) -> Vec<[f32; 3]> {
        let whole = self.whole();
        let outlines = layers.iter().filter_map(|layer| match layer {
            Layer::Fill { path, .. } => Some(path),
            Layer::Seam { .. } => None,
        });
        let reach = self.scale * 0.05;
        let radius = (reach / COARSE as f32) as usize + 1;
        let shadow = silhouette(outlines, self.transform, COARSE, whole, radius);
        let (dx, dy) = (-self.light.0 * reach * 0.9, -self.light.1 * reach * 0.9);
        let unit = 1.0 / self.width as f32;
        let (middle_x, middle_y) = (self.width as f32 / 2.0, self.height as f32 / 2.0);
        let step = backdrop.step(self.width);
        let coarse = Grid::new(step, whole, |x, y| {
            let colour = backdrop.at((x - middle_x) * unit, (y - middle_y) * unit, noise);
            scale3(
                colour,
                1.0 - 0.5 * self.contrast * shadow.at(x - dx, y - dy),
            )
        });
        let mut canvas = Vec::with_capacity((self.width * self.height) as usize);
        let (mut line, mut row) = (Vec::new(), Vec::new());
        for y in 0..whole.bottom {
            coarse.row(y, 0, whole.right, &mut line, &mut row);
            canvas.extend_from_slice(&row);
        }
        canvas
    }

    /// Folds and bends of the cloth over the whole picture, the same for all layers.
    fn cloth<'a>(&self, fabric: &'a Fabric, noise: &Noise) -> Cloth<'a> {
        Cloth {
            fabric,
            folds: Grid::new(COARSE, self.whole(), |x, y| {
                let (u, v) = self.garment_point(x, y);
                [self.folds(u, v, noise), fabric.bend(u, v, noise)]
            }),
            grain: Grain::new(self.seed),
        }
    }

    /// Light on a layer, and the bend of its cloth.
    fn light(&self, cloth: &Cloth<'_>, path: &Path, paint: Paint, relief: f32) -> Grid<[f32; 2]> {
        let bounds = self.bounds(path, 0.0);
        let folded = if matches!(paint, Paint::Fixed(_)) {
            0.0
        } else {
            1.0
        };
        let radius = ((self.scale * 0.035) / COARSE as f32) as usize + 1;
        let soft = (relief > 0.0).then(|| {
            silhouette(
                std::iter::once(path),
                self.transform,
                COARSE,
                bounds,
                radius,
            )
        });
        Grid::new(COARSE, bounds, |x, y| {
            let [fold, bend] = cloth.folds.at(x, y);
            let bulge = soft
                .as_ref()
                .map_or(0.0, |soft| relief * self.relief(soft, x, y));
            [1.0 + folded * fold + bulge, bend]
        })
    }

    fn paint_fill(
        &self,
        canvas: &mut [[f32; 3]],
        mask: &mut Mask,
        path: &Path,
        paint: Paint,
        cloth: &Cloth<'_>,
        light: &Grid<[f32; 2]>,
    ) {
        mask.fill_path(path, FillRule::Winding, true, self.transform);
        let bounds = self.bounds(path, 0.0);
        let fabric = cloth.fabric;
        let plain = match paint {
            Paint::Cloth(_) if fabric.is_plain() => Some(fabric.ground),
            Paint::Cloth(_) => None,
            Paint::Plain(by) => Some(scale3(fabric.ground, by)),
            Paint::Trim => Some(fabric.figure),
            Paint::Fixed(colour) => Some(colour),
        };
        let (sin, cos) = if let Paint::Cloth(angle) = paint {
            angle.sin_cos()
        } else {
            (0.0, 1.0)
        };
        let pixel_size = 1.0 / self.scale;
        let width = self.width as usize;
        let (mut line, mut lights) = (Vec::new(), Vec::new());
        for y in bounds.top..bounds.bottom {
            let covered = &mask.data()[y * width..][bounds.left..bounds.right];
            let Some(first) = covered.iter().position(|coverage| *coverage > 0) else {
                continue;
            };
            let last = covered.iter().rposition(|coverage| *coverage > 0);
            let covered = &covered[first..=last.unwrap_or(first)];
            let left = bounds.left + first;
            light.row(y, left, left + covered.len(), &mut line, &mut lights);
            let pixels = &mut canvas[y * width + left..];
            let grain = cloth.grain.row(y, left, covered.len());
            for (index, ((pixel, coverage), ([light, bend], grain))) in pixels
                .iter_mut()
                .zip(covered)
                .zip(lights.iter().zip(grain))
                .enumerate()
            {
                if *coverage == 0 {
                    continue;
                }
                let colour = plain.unwrap_or_else(|| {
                    let (u, v) = self.garment_point((left + index) as f32 + 0.5, y as f32 + 0.5);
                    fabric.at(u * cos + v * sin, v * cos - u * sin, pixel_size, *bend)
                });
                let colour = lit(colour, light + 0.03 * grain);
                *pixel = if *coverage == 255 {
                    colour
                } else {
                    mix3(*pixel, colour, f32::from(*coverage) / 255.0)
                };
            }
        }
        self.clear(mask, &bounds);
    }

    fn paint_seam(
        &self,
        canvas: &mut [[f32; 3]],
        mask: &mut Mask,
        path: &Path,
        width: f32,
        depth: f32,
    ) {
        let stroke = Stroke {
            width,
            line_cap: tiny_skia::LineCap::Round,
            line_join: tiny_skia::LineJoin::Round,
            ..Stroke::default()
        };
        let Some(line) = path.stroke(&stroke, self.scale) else {
            return;
        };
        mask.fill_path(&line, FillRule::Winding, true, self.transform);
        let bounds = self.bounds(&line, 1.0);
        for y in bounds.top..bounds.bottom {
            for x in bounds.left..bounds.right {
                let index = y * self.width as usize + x;
                let coverage = f32::from(mask.data()[index]) / 255.0;
                if coverage > 0.0 {
                    canvas[index] = lit(canvas[index], 1.0 - 0.75 * depth * coverage);
                }
            }
        }
        self.clear(mask, &bounds);
    }

    /// Light and dark of the cloth's slow folds at a garment point.
    fn folds(&self, u: f32, v: f32, noise: &Noise) -> f32 {
        let sway = noise.at(u * 1.3 + 11.0, v * 1.3);
        let long = noise.at(u * 4.2 + 1.8 * sway, v * 1.5 + 31.0);
        let short = noise.at(u * 8.0 + 2.0 * v + sway, v * 4.0 - 3.0);
        self.contrast * (0.11 * long + 0.055 * short)
    }

    /// Brighter where the surface faces the light, darker at the far edge.
    fn relief(&self, soft: &Grid<f32>, x: f32, y: f32) -> f32 {
        let step = self.scale * 0.03;
        let towards = soft.at(x + self.light.0 * step, y + self.light.1 * step);
        let away = soft.at(x - self.light.0 * step, y - self.light.1 * step);
        let edge = 1.0 - 0.5 * (towards + away);
        self.contrast * (0.34 * (away - towards) - 0.16 * edge)
    }

    /// Exposure, sensor noise and vignette, then eight bits.
    fn develop(&self, canvas: &[[f32; 3]]) -> RgbImage {
        let (width, height) = (self.width as usize, self.height as usize);
        // Squared distance from the centre in half sides.
        let off = |place: usize, side: usize| (2.0 * place as f32 / side as f32 - 1.0).powi(2);
        let triple = |value: f32| [value, value, value];
        let across: Vec<f32> = (0..width)
            .flat_map(|x| {
                self.exposure
                    .map(|exposure| 0.05 * exposure * off(x, width))
            })
            .collect();
        let grain = Grain::new(self.seed ^ 0x9e37);
        let (mut grains, mut middles) = (Vec::new(), Vec::new());
        let mut picture = RgbImage::new(self.width, self.height);
        for ((y, colours), bytes) in canvas
            .chunks_exact(width)
            .enumerate()
            .zip(picture.chunks_exact_mut(3 * width))
        {
            let middle = 1.0 - 0.05 * off(y, height);
            middles.clear();
            middles
                .extend((0..width).flat_map(|_| self.exposure.map(|exposure| exposure * middle)));
            grains.clear();
            grains.extend(grain.row(y, 0, width).flat_map(|grain| triple(1.5 * grain)));
            // Flat slices of one length, so that the compiler takes several values at a time.
            for ((((byte, value), middle), across), grain) in bytes
                .iter_mut()
                .zip(colours.as_flattened())
                .zip(&middles)
                .zip(&across)
                .zip(&grains)
            {
                *byte = byte_of(value * (middle - across) + grain);
            }
        }
        picture
    }

    fn whole(&self) -> Bounds {
        Bounds {
            left: 0,
            top: 0,
            right: self.width as usize,
            bottom: self.height as usize,
        }
    }

    fn garment_point(&self, x: f32, y: f32) -> (f32, f32) {
        let t = &self.inverse;
        (t.sx * x + t.kx * y + t.tx, t.ky * x + t.sy * y + t.ty)
    }

    fn bounds(&self, path: &Path, margin: f32) -> Bounds {
        let Some(rect) = path.bounds().transform(self.transform) else {
            return self.whole();
        };
        let clip = |value: f32, limit: u32| (value.max(0.0) as usize).min(limit as usize);
        Bounds {
            left: clip(rect.left() - 2.0 - margin, self.width),
            top: clip(rect.top() - 2.0 - margin, self.height),
            right: clip(rect.right() + 3.0 + margin, self.width),
            bottom: clip(rect.bottom() + 3.0 + margin, self.height),
        }
    }

    fn clear(&self, mask: &mut Mask, bounds: &Bounds) {
        let width = self.width as usize;
        let data = mask.data_mut();
        for y in bounds.top..bounds.bottom {
            data[y * width + bounds.left..y * width + bounds.right].fill(0);
        }
    }
}

/// The cloth as it lies in the picture.
struct Cloth<'a> {
    fabric: &'a Fabric,
    /// Light of the folds, and how far the pattern is moved.
    folds: Grid<[f32; 2]>,
    grain: Grain,
}

/// A colour under a light: multiplied, and a little washed out where it is bright, so that black cloth shows folds too.
#[inline]
fn lit(colour: [f32; 3], light: f32) -> [f32; 3] {
    let gleam = 26.0 * (light - 1.0);
    colour.map(|channel| channel * light + gleam)
}

/// The nearest whole number within 0 and 255, from the lowest bits of a number so large that it has no others.
#[inline]
fn byte_of(value: f32) -> u8 {
    const WHOLE: f32 = 8_388_608.0;
    (value.clamp(0.0, 255.0) + WHOLE).to_bits() as u8
}
