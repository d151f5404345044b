//! From pixels to the tensor that a model wants.

use heurpipe_core::{Error, ErrorKind, Pixels, Result};

use crate::manifest::{InputSpec, Layout};

/// A batch of pictures as one flat tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub shape: [usize; 4],
    pub values: Vec<f32>,
}

/// Normalises pictures of the size that the model wants: `(pixel - mean) / std`, in the model's layout.
pub(crate) fn tensor(pictures: &[&Pixels], input: &InputSpec) -> Result<Tensor> {
    let (width, height) = (input.width as usize, input.height as usize);
    let mut values = Vec::with_capacity(pictures.len() * width * height * 3);
    for picture in pictures {
        check(picture, input)?;
        match input.layout {
            Layout::Nchw => push_planes(&mut values, picture, input),
            Layout::Nhwc => push_interleaved(&mut values, picture, input),
        }
    }
    let shape = match input.layout {
        Layout::Nchw => [pictures.len(), 3, height, width],
        Layout::Nhwc => [pictures.len(), height, width, 3],
    };
    Ok(Tensor { shape, values })
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

fn push_planes(values: &mut Vec<f32>, picture: &Pixels, input: &InputSpec) {
    for channel in 0..3 {
        let (mean, scale) = (input.mean[channel], input.std[channel]);
        values.extend(
            picture.bytes[channel..]
                .iter()
                .step_by(3)
                .map(|&byte| (f32::from(byte) - mean) / scale),
        );
    }
}

fn push_interleaved(values: &mut Vec<f32>, picture: &Pixels, input: &InputSpec) {
    values.extend(
        picture.bytes.chunks_exact(3).flat_map(|pixel| {
            [0, 1, 2].map(|c| (f32::from(pixel[c]) - input.mean[c]) / input.std[c])
        }),
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use heurpipe_core::PixelFormat;

    use super::*;
    use crate::manifest::Manifest;

    fn input(layout: &str) -> InputSpec {
        let text = format!(
            "name = 'm'\nversion = '1'\ntask = 'classify'\nattribute = 'a'\nlabels = ['x', 'y']\n\
             [input]\nwidth = 2\nheight = 3\nlayout = '{layout}'\nmean = [10.0, 20.0, 30.0]\nstd = [2.0, 4.0, 5.0]\n"
        );
        Manifest::parse(&text).unwrap().input
    }

    fn picture() -> Pixels {
        Pixels {
            width: 2,
            height: 3,
            format: PixelFormat::Rgb8,
            bytes: (0..18u8).map(|i| i * 13).collect(),
        }
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
