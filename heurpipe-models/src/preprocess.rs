//! From pixels to the tensor that a model wants.

use heurpipe_core::{Error, ErrorKind, Pixels, Result};

use crate::manifest::{Channels, InputSpec, Layout};

/// A batch of pictures as one flat tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pictures {
    pub(crate) shape: [usize; 4],
    pub(crate) values: Vec<f32>,
}

/// Normalises pictures of the size that the model wants: `(pixel - mean) / std`, in the model's layout.
pub(crate) fn tensor(pictures: &[&Pixels], input: &InputSpec) -> Result<Pictures> {
    let (width, height) = (input.width as usize, input.height as usize);
    let tables = tables(input);
    let order = match input.channels {
        Channels::Rgb => [0, 1, 2],
        Channels::Bgr => [2, 1, 0],
    };
    let mut values = Vec::with_capacity(pictures.len() * width * height * 3);
    for picture in pictures {
        check(picture, input)?;
        let pixels = picture.bytes.as_chunks::<3>().0;
        match input.layout {
            Layout::Nchw => {
                for channel in order {
                    let table = &tables[channel];
                    values.extend(pixels.iter().map(|p| table[usize::from(p[channel])]));
                }
            }
            Layout::Nhwc => values.extend(
                pixels
                    .iter()
                    .flat_map(|p| order.map(|channel| tables[channel][usize::from(p[channel])])),
            ),
        }
    }
    let shape = match input.layout {
        Layout::Nchw => [pictures.len(), 3, height, width],
        Layout::Nhwc => [pictures.len(), height, width, 3],
    };
    Ok(Pictures { shape, values })
}

/// What each of the 256 values of a channel becomes: looking up is faster than dividing.
fn tables(input: &InputSpec) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        std::array::from_fn(|value| (value as f32 - input.mean[channel]) / input.std[channel])
    })
}

/// A picture that is not of the size asked for would be read askew.
pub(crate) fn check(picture: &Pixels, input: &InputSpec) -> Result<()> {
    let expected = input.width as usize * input.height as usize * 3;
    if (picture.width, picture.height) == (input.width, input.height)
        && picture.bytes.len() == expected
    {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, "model.preprocess")
        .message("the pixels are not of the size that the model wants")
        .with("size", format_args!("{}x{}", picture.width, picture.height))
        .with("wanted", format_args!("{}x{}", input.width, input.height)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::manifest::Manifest;

    fn input(layout: &str) -> InputSpec {
        let text = format!(
            "name = 'm'\nversion = '1'\ntask = 'classify'\nattribute = 'a'\nlabels = ['x', 'y']\n\
             [input]\nwidth = 2\nheight = 3\nlayout = '{layout}'\nmean = [10.0, 20.0, 30.0]\nstd = [2.0, 4.0, 5.0]\n"
        );
        Manifest::parse(&text).unwrap().input.unwrap()
    }

    fn picture() -> Pixels {
        Pixels::rgb(2, 3, (0..18u8).map(|i| i * 13).collect::<Vec<u8>>())
    }

    #[test]
    fn each_value_is_pixel_minus_mean_by_std_in_its_place() {
        let (mean, std) = ([10.0, 20.0, 30.0], [2.0, 4.0, 5.0]);
        let picture = picture();
        let nchw = tensor(&[&picture, &picture], &input("nchw")).unwrap();
        let nhwc = tensor(&[&picture, &picture], &input("nhwc")).unwrap();
        assert_eq!(nchw.shape, [2, 3, 3, 2]);
        assert_eq!(nhwc.shape, [2, 3, 2, 3]);
        for n in 0..2 {
            for y in 0..3 {
                for x in 0..2 {
                    for c in 0..3 {
                        let pixel = f32::from(picture.bytes[(y * 2 + x) * 3 + c]);
                        let expected = (pixel - mean[c]) / std[c];
                        assert_eq!(nchw.values[((n * 3 + c) * 3 + y) * 2 + x], expected);
                        assert_eq!(nhwc.values[((n * 3 + y) * 2 + x) * 3 + c], expected);
                    }
                }
            }
        }
    }

    #[test]
    fn blue_may_come_first() {
        let picture = picture();
        let rgb = tensor(&[&picture], &input("nchw")).unwrap().values;
        let mut input = input("nchw");
        input.channels = Channels::Bgr;
        let bgr = tensor(&[&picture], &input).unwrap().values;
        assert_eq!(bgr[..6], rgb[12..]);
        assert_eq!(bgr[6..12], rgb[6..12]);
        assert_eq!(bgr[12..], rgb[..6]);
    }

    #[test]
    fn pixels_of_another_size_are_refused() {
        let mut wrong = picture();
        wrong.width = 3;
        let error = tensor(&[&wrong], &input("nchw")).unwrap_err();
        assert!(
            error.to_string().contains("size=3x3, wanted=2x3"),
            "{error}"
        );
    }
}
