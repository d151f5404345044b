//! A model of pictures: pixels in, the tensors of its outputs out, in batches of the size that suits it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use heurpipe_core::{
    Batch, Enriched, EnricherSpec, Error, ErrorKind, Finding, ItemResult, Pixels, Result, compute,
};

use crate::folder::ModelFolder;
use crate::manifest::{InputSpec, Layout};
use crate::preprocess;
use crate::runtime::{
    Feed, Runtime, RuntimeKind, SessionPool, Tensor, Tuned, Tuning, Values, tuning,
};

/// Items a call and threads a session where nothing was measured: what is best for small networks on most processors.
const UNTUNED: Tuned = Tuned {
    batch: 4,
    threads: 1,
};

/// A model of pictures, ready to run.
pub(crate) struct PictureModel {
    pub(crate) input: InputSpec,
    name: String,
    input_name: String,
    outputs: Vec<String>,
    /// The batch size that the model insists on.
    fixed_batch: Option<usize>,
    batch: usize,
    sessions: SessionPool,
}

impl PictureModel {
    /// Opens the folder's model of pictures. `outputs` names the outputs to give, in order; none: the first.
    pub(crate) fn open(folder: &ModelFolder, outputs: &[Option<&str>]) -> Result<Self> {
        let tuned = tuning::recall(&folder.digest).unwrap_or(UNTUNED);
        Self::open_tuned(folder, outputs, tuned)
    }

    /// Opens it to be run as `tuned` says, whatever was measured on this machine.
    pub(crate) fn open_tuned(
        folder: &ModelFolder,
        outputs: &[Option<&str>],
        tuned: Tuned,
    ) -> Result<Self> {
        let input = folder.manifest.picture_input()?.clone();
        let sessions = SessionPool::open(folder.model.clone(), tuned.threads)?;
        let port = sessions.input(input.name.as_deref())?;
        check_shape(&folder.manifest.name, &input, &port.shape)?;
        // A tract session is specialised to the shapes it first sees, so there every batch is one picture.
        let tract = Runtime::get()?.status().kind == RuntimeKind::Tract;
        let fixed_batch = match port.shape.first() {
            Some(&size) if size > 0 => usize::try_from(size).ok(),
            _ if tract => Some(1),
            _ => None,
        };
        let input_name = port.name.clone();
        let outputs = outputs
            .iter()
            .map(|name| Ok(sessions.output(*name)?.name.clone()))
            .collect::<Result<_>>()?;
        Ok(Self {
            input,
            name: folder.manifest.name.clone(),
            input_name,
            outputs,
            batch: fixed_batch.unwrap_or(tuned.batch).max(1),
            fixed_batch,
            sessions,
        })
    }

    /// Gives these outputs from now on, in this order.
    ///
    /// # Errors
    /// `Config` where there is no such output; it lists those there are.
    pub(crate) fn giving(mut self, outputs: &[String]) -> Result<Self> {
        for name in outputs {
            self.sessions.output(Some(name))?;
        }
        self.outputs = outputs.to_vec();
        Ok(self)
    }

    /// The outputs that there are, with their shapes.
    pub(crate) fn outputs_there(&self) -> impl Iterator<Item = (&str, &[i64])> {
        let ports = self.sessions.outputs().iter();
        ports.map(|port| (port.name.as_str(), port.shape.as_slice()))
    }

    /// Runs all sessions once, on a grey picture.
    pub(crate) fn warm_up(&self) -> Result<()> {
        let grey = grey(&self.input);
        let pictures: Vec<&Pixels> = std::iter::repeat_n(&grey, self.batch).collect();
        let tensor = preprocess::tensor(&pictures, &self.input)?;
        let outputs: Vec<&str> = self.outputs.iter().map(String::as_str).collect();
        self.sessions.warm_up(&[self.feed(&tensor)], &outputs)
    }

    /// Runs the model on pictures of the size that it wants, on the calling thread, and calls `read` with the outputs and the number of pictures of each
    /// batch; what it gives is put together in order.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Internal` where the runtime fails; those of `read`, and `Config` where it gives another number.
    pub(crate) fn run<T>(
        &self,
        pictures: &[Arc<Pixels>],
        read: impl Fn(&[Tensor], usize) -> Result<Vec<T>>,
    ) -> Result<Vec<T>> {
        let outputs: Vec<&str> = self.outputs.iter().map(String::as_str).collect();
        let mut results = Vec::with_capacity(pictures.len());
        for chunk in pictures.chunks(self.batch) {
            let wanted = chunk.len();
            let mut chunk: Vec<&Pixels> = chunk.iter().map(AsRef::as_ref).collect();
            if let (Some(fixed), Some(&last)) = (self.fixed_batch, chunk.last()) {
                chunk.resize(fixed, last); // a model with a fixed batch gets a full one
            }
            let tensor = preprocess::tensor(&chunk, &self.input)?;
            let given = self.sessions.run(&[self.feed(&tensor)], &outputs)?;
            let read = read(&given, chunk.len())?;
            if read.len() != chunk.len() {
                return Err(Error::new(ErrorKind::Config, "model.run")
                    .message("the model does not give one row a picture")
                    .with("model", &self.name)
                    .with("pictures", chunk.len())
                    .with("rows", read.len()));
            }
            results.extend(read.into_iter().take(wanted));
        }
        Ok(results)
    }

    fn feed<'a>(&'a self, tensor: &'a preprocess::Pictures) -> Feed<'a> {
        Feed {
            name: &self.input_name,
            shape: tensor.shape.to_vec(),
            values: Values::Floats(&tensor.values),
        }
    }
}

/// What a model makes of what its network gives.
pub(crate) trait PictureTask: Send + Sync + 'static {
    /// What it finds in one picture.
    type Found: Send + 'static;

    /// The network.
    fn network(&self) -> &PictureModel;

    /// Looks at pictures of the size that the network wants, on the calling thread: one result a picture, in order.
    fn look(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Self::Found>>;
}

/// Has a task's network make ready, on a compute thread.
pub(crate) async fn prepare<T: PictureTask>(task: &Arc<T>) -> Result<()> {
    let task = Arc::clone(task);
    compute::run(move || task.network().warm_up()).await?.0
}

/// Enriches a batch of pictures: those whose pixels are there are spread over the compute threads, `findings` says what each one's result is to the record.
pub(crate) async fn enrich<T: PictureTask>(
    task: &Arc<T>,
    spec: &EnricherSpec,
    batch: &Batch,
    findings: impl Fn(T::Found) -> Vec<Finding>,
) -> Result<Enriched> {
    let mut outcomes: Vec<ItemResult<Vec<Finding>>> = Vec::with_capacity(batch.len());
    let mut places = Vec::with_capacity(batch.len());
    let mut pictures = Vec::with_capacity(batch.len());
    for (place, item) in batch.items.iter().enumerate() {
        let usable = item.pixels().and_then(|pixels| {
            preprocess::check(pixels, &task.network().input)?;
            Ok(Arc::clone(pixels))
        });
        outcomes.push(usable.map(|pixels| {
            places.push(place);
            pictures.push(pixels);
            Vec::new()
        }));
    }
    let looking = Arc::clone(task);
    let look = move |pictures: &[Arc<Pixels>]| looking.look(pictures);
    let (results, cpu) = crate::spread::spread(pictures, look).await?;
    for (place, result) in places.into_iter().zip(results) {
        outcomes[place] = Ok(findings(result));
    }
    Ok(Enriched::new(spec.fingerprint.clone(), outcomes).cpu(cpu))
}

/// Finds out how the folder's model of pictures is fastest on this machine, and remembers it: every batch size that the model takes, one thread a session
/// or all cores in one. Gives what each setting did, the fastest first. Takes some seconds.
pub(crate) fn tune(folder: &ModelFolder, outputs: &[Option<&str>]) -> Result<Vec<Tuning>> {
    let mut tunings = Vec::new();
    let mut threads = vec![1];
    if compute::cores() > 1 && Runtime::get()?.status().kind == RuntimeKind::Native {
        threads.push(compute::cores());
    }
    for threads in threads {
        for batch in [1, 2, 4, 8, 16, 32] {
            let setting = Tuned { batch, threads };
            let model = PictureModel::open_tuned(folder, outputs, setting)?;
            if model.batch != batch && batch > 1 {
                continue; // it takes one size only, which was measured
            }
            model.warm_up()?;
            tunings.push(measure(&model, setting)?);
        }
    }
    tunings.sort_by(|a, b| b.items_per_second.total_cmp(&a.items_per_second));
    if let Some(best) = tunings.first() {
        tuning::remember(&folder.digest, best.setting)?;
    }
    Ok(tunings)
}

/// Keeps all cores busy for a moment.
fn measure(model: &PictureModel, setting: Tuned) -> Result<Tuning> {
    const LONG_ENOUGH: Duration = Duration::from_millis(250);
    let picture = Arc::new(grey(&model.input));
    let pictures: Vec<_> = std::iter::repeat_n(picture, model.batch).collect();
    let workers = (compute::cores() / setting.threads).max(1);
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let done: Result<Vec<usize>> = std::thread::scope(|scope| {
        let work = || {
            let started = Instant::now();
            let mut items = 0;
            while started.elapsed() < LONG_ENOUGH {
                items += model
                    .run(&pictures, |_, pictures| Ok(vec![(); pictures]))?
                    .len();
            }
            Ok(items)
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Internal, "model.tune").message("a worker panicked"))
            })
        });
        joined.collect()
    });
    let items = done?.into_iter().sum::<usize>() as f64;
    Ok(Tuning::new(
        setting,
        items / wall.elapsed().as_secs_f64(),
        cpu.elapsed().as_secs_f64() * 1000.0 / items,
    ))
}

fn grey(input: &InputSpec) -> Pixels {
    let bytes = input.width as usize * input.height as usize * 3;
    Pixels::rgb(input.width, input.height, vec![128; bytes])
}

/// Sees at load what would fail at the first picture.
fn check_shape(name: &str, input: &InputSpec, shape: &[i64]) -> Result<()> {
    let (width, height) = (i64::from(input.width), i64::from(input.height));
    let wanted = match input.layout {
        Layout::Nchw => [3, height, width],
        Layout::Nhwc => [height, width, 3],
    };
    let fits = match shape {
        [_, rest @ ..] if rest.len() == 3 => rest
            .iter()
            .zip(wanted)
            .all(|(&there, want)| there <= 0 || there == want),
        [] => true,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, "model.load")
        .message("the manifest's input does not fit the model's")
        .with("model", name)
        .with(
            "manifest",
            format_args!("[n, {}, {}, {}]", wanted[0], wanted[1], wanted[2]),
        )
        .with("model_input", format_args!("{shape:?}")))
}
