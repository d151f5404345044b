//! The networks that are measured, and the manifests by which ours loads them.

use std::path::{Path, PathBuf};

use crate::AnyResult;

/// A network of pictures.
pub struct Subject {
    /// What rows call it.
    pub name: &'static str,
    /// Its file.
    pub network: PathBuf,
    /// The folder with the manifest.
    pub folder: PathBuf,
    /// Width and height that it wants.
    pub size: (u32, u32),
    /// Mean of each channel.
    pub mean: f32,
    /// Standard deviation of each channel.
    pub std: f32,
    /// The sizes of batch that it takes.
    pub batches: &'static [usize],
    /// Whether it gives boxes rather than a label.
    pub is_detector: bool,
}

/// Sizes of batch where the network has a free one.
pub const BATCHES: &[usize] = &[1, 8, 32];
/// What a network whose shape is fixed takes.
const ONE: &[usize] = &[1];

/// The networks of pictures that are there; what is missing is told.
///
/// # Errors
/// When a manifest cannot be written into the folder.
pub fn of_pictures(folder: &Path) -> AnyResult<Vec<Subject>> {
    let mut subjects = vec![shipped_garment()];
    let Some(models) = shared_models() else {
        return Ok(subjects);
    };
    for (name, file, labels) in [
        ("mobilenet v2, fp32", "mobilenetv2_1.0_224_fp32.onnx", 1001),
        (
            "mobilenet v2, int8",
            "mobilenetv2_1.0_224_int8_qdq.onnx",
            1001,
        ),
    ] {
        let network = models.join(file);
        let labels: Vec<String> = (0..labels).map(|n| format!("'label-{n}'")).collect();
        let task = format!(
            "task = 'classify'\nattribute = 'label'\nlabels = [{}]\n",
            labels.join(", ")
        );
        let subject = Subject {
            name,
            folder: folder.join(file),
            network,
            size: (224, 224),
            mean: 127.5,
            std: 127.5,
            batches: BATCHES,
            is_detector: false,
        };
        subject.write_manifest(&task, "")?;
        subjects.push(subject);
    }
    let faces = Subject {
        name: "face detector",
        network: models.join("ultraface_rfb_320.onnx"),
        folder: folder.join("faces"),
        size: (320, 240),
        mean: 127.0,
        std: 128.0,
        batches: ONE,
        is_detector: true,
    };
    faces.write_manifest(
        "task = 'detect'\nattribute = 'face'\nlabels = ['face']\nthreshold = 0.7\n",
        "[detect]\nbackground = true\ncount = 'faces'\nregions = false\n",
    )?;
    subjects.push(faces);
    Ok(subjects)
}

/// The project's own model of garments.
pub fn shipped_garment() -> Subject {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../heurpipe-models/models/garment");
    Subject {
        name: "garment (shipped)",
        network: folder.join("model.onnx"),
        folder,
        size: (128, 128),
        mean: 127.5,
        std: 127.5,
        batches: ONE,
        is_detector: false,
    }
}

impl Subject {
    fn write_manifest(&self, task: &str, rest: &str) -> AnyResult<()> {
        std::fs::create_dir_all(&self.folder)?;
        let (width, height) = self.size;
        let text = format!(
            "name = 'subject'\nversion = '1'\n{task}[file]\npath = '{}'\n\
             [input]\nwidth = {width}\nheight = {height}\nmean = [{mean:?}, {mean:?}, {mean:?}]\nstd = [{std:?}, {std:?}, {std:?}]\n{rest}",
            self.network.display(),
            mean = self.mean,
            std = self.std,
        );
        Ok(std::fs::write(self.folder.join("model.toml"), text)?)
    }
}

/// The network of texts.
pub struct Sentences {
    /// Its file.
    pub network: PathBuf,
    /// Its tokenizer's file.
    pub tokenizer: PathBuf,
    /// The folder with the manifest.
    pub folder: PathBuf,
}

impl Sentences {
    /// Where texts are cut off.
    pub const MAX_TOKENS: usize = 128;

    /// The network, where it is there.
    ///
    /// # Errors
    /// When its manifest cannot be written into the folder.
    pub fn find(folder: &Path) -> AnyResult<Option<Self>> {
        let Some(models) = shared_models() else {
            return Ok(None);
        };
        let there = models.join("minilm-l6-v2");
        let sentences = Self {
            network: there.join("model_int8.onnx"),
            tokenizer: there.join("tokenizer.json"),
            folder: folder.join("sentences"),
        };
        std::fs::create_dir_all(&sentences.folder)?;
        std::fs::copy(
            &sentences.tokenizer,
            sentences.folder.join("tokenizer.json"),
        )?;
        let text = format!(
            "name = 'sentences'\nversion = '1'\ntask = 'embed-text'\nattribute = 'text_vector'\n[file]\npath = '{}'\n\
             [text]\nmax_tokens = {}\noutput = 'sentence_embedding'\n",
            sentences.network.display(),
            Self::MAX_TOKENS
        );
        std::fs::write(sentences.folder.join("model.toml"), text)?;
        Ok(Some(sentences))
    }
}

/// The folder of larger models. Nothing, with a printed reason, where there is none.
fn shared_models() -> Option<PathBuf> {
    let shared = std::env::var_os("HEURPIPE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let models = shared.join("models").canonicalize().ok();
    if models.is_none() {
        eprintln!("larger models are skipped: HEURPIPE_SHARED names no folder with models");
    }
    models
}
