//! Renders labelled garment pictures, balanced over cuts, patterns and colours.
//!
//! `cargo run -p heurpipe-sources --features simulator --example render_pictures -- OUT_DIR COUNT [--seed S] [--size WxH]`
//! writes `images/NNNNNN.jpg` and `labels.csv` (image,label,colour,pattern,background) into OUT_DIR.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use heurpipe_sources::simulator::render::{Colour, Cut, GarmentPicture, Pattern};

const USAGE: &str = "usage: render_pictures OUT_DIR COUNT [--seed S] [--size WxH]";

struct Arguments {
    out: PathBuf,
    count: usize,
    seed: u64,
    size: (u32, u32),
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = parse(std::env::args().skip(1))?;
    std::fs::create_dir_all(arguments.out.join("images"))?;
    let started = Instant::now();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let arguments = &arguments;
                scope.spawn(move || write_pictures(arguments, worker, workers))
            })
            .collect();
        handles
            .into_iter()
            .try_for_each(|handle| handle.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    write_labels(&arguments)?;
    eprintln!(
        "{} pictures in {:.1} s",
        arguments.count,
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

/// The picture at `index`: every cut in turn, patterns and colours each stepping through their lists as the index grows.
fn picture(arguments: &Arguments, index: usize) -> GarmentPicture {
    let (cuts, patterns, colours) = (Cut::ALL, Pattern::ALL, Colour::ALL);
    let (cut, round) = (index % cuts.len(), index / cuts.len());
    let pattern = round % patterns.len();
    // Shifted by cut and pattern, so that small sets already mix them.
    let colour = (round + round / patterns.len() + 3 * cut) % colours.len();
    let seed = arguments
        .seed
        .wrapping_mul(1_000_003)
        .wrapping_add(index as u64);
    let mut picture = GarmentPicture::new(cuts[cut], colours[colour], patterns[pattern], seed);
    (picture.width, picture.height) = arguments.size;
    picture
}

fn write_pictures(arguments: &Arguments, first: usize, step: usize) -> Result<(), String> {
    for index in (first..arguments.count).step_by(step) {
        let path = arguments.out.join(name(index));
        let bytes = picture(arguments, index)
            .jpeg()
            .map_err(|error| error.to_string())?;
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn write_labels(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut labels = csv::Writer::from_path(arguments.out.join("labels.csv"))?;
    labels.write_record(["image", "label", "colour", "pattern", "background"])?;
    for index in 0..arguments.count {
        let shown = picture(arguments, index);
        labels.write_record([
            &name(index),
            shown.cut.label(),
            shown.colour.label(),
            shown.pattern.label(),
            shown.background.label(),
        ])?;
    }
    labels.flush()?;
    Ok(())
}

fn name(index: usize) -> String {
    format!("images/{index:06}.jpg")
}

fn parse(mut given: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut places = Vec::new();
    let (mut seed, mut size) = (7, (540, 675));
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--seed" => seed = given.next().ok_or(USAGE)?.parse()?,
            "--size" => {
                let value = given.next().ok_or(USAGE)?;
                let (width, height) = value
                    .split_once('x')
                    .ok_or("the size is WxH, such as 540x675")?;
                size = (width.parse()?, height.parse()?);
            }
            _ => places.push(argument),
        }
    }
    match places.as_slice() {
        [out, count] => Ok(Arguments {
            out: out.into(),
            count: count.parse()?,
            seed,
            size,
        }),
        _ => Err(USAGE.into()),
    }
}
