//! A model loaded several times over, because a session runs one picture at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use heurpipe_core::{Error, ErrorKind, Result, compute};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{TensorRef, ValueType};

use super::{Runtime, RuntimeKind};
use crate::source::ModelBytes;

/// Sessions of one model, at most one per core, made when first needed.
pub(crate) struct SessionPool {
    model: ModelBytes,
    state: Mutex<State>,
    returned: Condvar,
    input: String,
    output: String,
    fixed_batch: Option<usize>,
    input_shape: Vec<i64>,
}

struct State {
    idle: Vec<Session>,
    made: usize,
}

impl SessionPool {
    /// Loads the model once, to see that it loads and what it wants.
    ///
    /// `input` and `output` name the tensors to use; none: the first.
    pub(crate) fn open(
        model: ModelBytes,
        input: Option<&str>,
        output: Option<&str>,
    ) -> Result<Self> {
        let session = load(&model)?;
        let inputs: Vec<_> = session
            .inputs()
            .iter()
            .map(|i| i.name().to_owned())
            .collect();
        let outputs: Vec<_> = session
            .outputs()
            .iter()
            .map(|o| o.name().to_owned())
            .collect();
        let input = pick(&model, "input", input, &inputs)?;
        let output = pick(&model, "output", output, &outputs)?;
        let input_shape = session
            .inputs()
            .iter()
            .find(|i| i.name() == input)
            .and_then(|i| match i.dtype() {
                ValueType::Tensor { shape, .. } => Some(shape.to_vec()),
                _ => None,
            })
            .unwrap_or_default();
        // A tract session is specialised to the shapes it first sees, so there every batch is one picture.
        let tract = Runtime::get()?.status().kind == RuntimeKind::Tract;
        let fixed_batch = match input_shape.first() {
            Some(&size) if size > 0 => usize::try_from(size).ok(),
            _ if tract => Some(1),
            _ => None,
        };
        Ok(Self {
            model,
            state: Mutex::new(State {
                idle: vec![session],
                made: 1,
            }),
            returned: Condvar::new(),
            input,
            output,
            fixed_batch,
            input_shape,
        })
    }

    /// The batch size that the model insists on; none: any.
    pub(crate) fn fixed_batch(&self) -> Option<usize> {
        self.fixed_batch
    }

    /// The input's shape, -1 where it is free; empty where the runtime does not say.
    pub(crate) fn input_shape(&self) -> &[i64] {
        &self.input_shape
    }

    /// Runs one batch and gives the output flat. Blocks until a session is free: to be called on a compute thread.
    pub(crate) fn run(&self, shape: [usize; 4], values: &[f32]) -> Result<Vec<f32>> {
        let mut session = self.borrow()?;
        let outcome = self.run_with(&mut session, shape, values);
        self.give_back(session);
        outcome
    }

    fn run_with(
        &self,
        session: &mut Session,
        shape: [usize; 4],
        values: &[f32],
    ) -> Result<Vec<f32>> {
        let failed = |error: ort::Error| {
            Error::new(ErrorKind::Internal, "model.run")
                .message("the runtime refused the model or its input")
                .with("model", self.model.name())
                .with("shape", format_args!("{shape:?}"))
                .cause(error)
        };
        let tensor = TensorRef::from_array_view((shape, values)).map_err(failed)?;
        let outputs = session
            .run(ort::inputs![self.input.as_str() => tensor])
            .map_err(failed)?;
        let output = outputs.get(self.output.as_str()).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "model.run")
                .message("the runtime gave no such output")
                .with("model", self.model.name())
                .with("output", &self.output)
        })?;
        let (_, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
        Ok(values.to_vec())
    }

    fn borrow(&self) -> Result<Session> {
        let mut state = self.lock();
        loop {
            if let Some(session) = state.idle.pop() {
                return Ok(session);
            }
            if state.made < compute::cores() {
                state.made += 1;
                drop(state);
                return load(&self.model).inspect_err(|_| self.lock().made -= 1);
            }
            state = self
                .returned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, session: Session) {
        self.lock().idle.push(session);
        self.returned.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(model: &ModelBytes) -> Result<Session> {
    let runtime = Runtime::get()?;
    let bytes = model.read()?;
    build(runtime, &bytes).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "model.load")
            .message("the runtime cannot load the model")
            .with("model", model.name())
            .with("runtime", runtime.status())
            .cause(error)
    })
}

fn build(runtime: &Runtime, bytes: &[u8]) -> std::result::Result<Session, ort::Error> {
    let mut builder = Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?;
    if runtime.status().kind == RuntimeKind::Native {
        // One thread a session and no spinning: the pool has a session a core, and idle cores belong to others.
        builder = builder
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?;
    }
    builder.commit_from_memory(bytes)
}

fn pick(model: &ModelBytes, what: &str, wanted: Option<&str>, there: &[String]) -> Result<String> {
    let chosen = match wanted {
        Some(name) => there.iter().find(|have| *have == name),
        None => there.first(),
    };
    chosen.cloned().ok_or_else(|| {
        Error::new(ErrorKind::Config, "model.load")
            .message(format!("the model has no such {what}"))
            .with("model", model.name())
            .with(what.to_owned(), wanted.unwrap_or("(first)"))
            .with("there_are", there.join(", "))
    })
}
