//! A model loaded several times over, because a session runs one call at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use heurpipe_core::{Error, ErrorKind, Result, compute};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorRef, ValueType};

use super::{Runtime, RuntimeKind, diagnose};
use crate::source::ModelBytes;

/// Sessions of one model, at most one per core or per group of cores, made when first needed.
pub(crate) struct SessionPool {
    model: ModelBytes,
    threads: usize,
    most: usize,
    state: Mutex<State>,
    returned: Condvar,
    /// Whether every session was made and has run once.
    warm: Mutex<bool>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

struct State {
    idle: Vec<Session>,
    made: usize,
}

/// An input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// -1 where a dimension is free; empty where the runtime does not say.
    pub(crate) shape: Vec<i64>,
}

/// A tensor for an input.
pub(crate) struct Feed<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values<'a>,
}

/// A tensor's numbers.
pub(crate) enum Values<'a> {
    Floats(&'a [f32]),
    Integers(&'a [i64]),
}

/// A tensor that an output gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Tensor {
    /// The numbers of each item of the batch.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        let items = self.shape.first().copied().unwrap_or(0).max(1);
        self.values.chunks_exact((self.values.len() / items).max(1))
    }
}

impl SessionPool {
    /// Loads the model once, to see that it loads and what it wants. Each session computes with so many threads.
    pub(crate) fn open(model: ModelBytes, threads: usize) -> Result<Self> {
        let threads = threads.clamp(1, compute::cores());
        let session = load(&model, threads)?;
        Ok(Self {
            inputs: session.inputs().iter().map(port).collect(),
            outputs: session.outputs().iter().map(port).collect(),
            most: (compute::cores() / threads).clamp(1, Runtime::get()?.most_sessions()),
            model,
            threads,
            state: Mutex::new(State {
                idle: vec![session],
                made: 1,
            }),
            returned: Condvar::new(),
            warm: Mutex::new(false),
        })
    }

    /// The input of this name; none: the first.
    ///
    /// # Errors
    /// `Config` where there is none; it lists those there are.
    pub(crate) fn input(&self, name: Option<&str>) -> Result<&Port> {
        pick(&self.model, "input", name, &self.inputs)
    }

    /// The output of this name; none: the first.
    ///
    /// # Errors
    /// `Config` where there is none; it lists those there are.
    pub(crate) fn output(&self, name: Option<&str>) -> Result<&Port> {
        pick(&self.model, "output", name, &self.outputs)
    }

    /// The inputs, in the model's order.
    pub(crate) fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The outputs, in the model's order.
    pub(crate) fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Makes every session and runs each once, so that the first posts do not wait. Once is enough, whoever asks for it.
    pub(crate) fn warm_up(&self, feeds: &[Feed<'_>], outputs: &[&str]) -> Result<()> {
        // Held to the end: two that take all sessions one by one would wait for each other.
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        if *warm {
            return Ok(());
        }
        let mut sessions = Vec::with_capacity(self.most);
        for _ in 0..self.most {
            sessions.push(self.borrow()?);
        }
        let mut outcome = Ok(());
        for session in &mut sessions {
            if outcome.is_ok() {
                outcome = self.run_with(session, feeds, outputs).map(drop);
            }
        }
        sessions
            .into_iter()
            .for_each(|session| self.give_back(session));
        *warm = outcome.is_ok();
        outcome
    }

    /// Runs one batch and gives the outputs named. Blocks until a session is free: to be called on a compute thread.
    pub(crate) fn run(&self, feeds: &[Feed<'_>], outputs: &[&str]) -> Result<Vec<Tensor>> {
        let mut session = self.borrow()?;
        let outcome = self.run_with(&mut session, feeds, outputs);
        self.give_back(session);
        outcome
    }

    fn run_with(
        &self,
        session: &mut Session,
        feeds: &[Feed<'_>],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>> {
        let failed = |error: ort::Error| {
            let shapes: Vec<_> = feeds.iter().map(|feed| (feed.name, &feed.shape)).collect();
            Error::new(ErrorKind::Internal, "model.run")
                .message("the runtime refused the model or its input")
                .with("model", self.model.name())
                .with("inputs", format_args!("{shapes:?}"))
                .cause(error)
        };
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(feeds.len());
        for feed in feeds {
            let shape = feed.shape.clone();
            let tensor: SessionInputValue<'_> = match feed.values {
                Values::Floats(values) => TensorRef::from_array_view((shape, values))
                    .map_err(failed)?
                    .into(),
                Values::Integers(values) => TensorRef::from_array_view((shape, values))
                    .map_err(failed)?
                    .into(),
            };
            inputs.push((feed.name, tensor));
        }
        let given = session.run(inputs).map_err(failed)?;
        let mut tensors = Vec::with_capacity(outputs.len());
        for name in outputs {
            let output = given.get(*name).ok_or_else(|| {
                Error::new(ErrorKind::Internal, "model.run")
                    .message("the runtime gave no such output")
                    .with("model", self.model.name())
                    .with("output", name)
            })?;
            let (shape, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
            let side = |&length: &i64| usize::try_from(length).unwrap_or(0);
            tensors.push(Tensor {
                shape: shape.iter().map(side).collect(),
                values: values.to_vec(),
            });
        }
        Ok(tensors)
    }

    fn borrow(&self) -> Result<Session> {
        let mut state = self.lock();
        loop {
            if let Some(session) = state.idle.pop() {
                return Ok(session);
            }
            if state.made < self.most {
                state.made += 1;
                drop(state);
                return load(&self.model, self.threads).inspect_err(|_| self.lock().made -= 1);
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

fn port(outlet: &Outlet) -> Port {
    let shape = match outlet.dtype() {
        ValueType::Tensor { shape, .. } => shape.to_vec(),
        _ => Vec::new(),
    };
    Port {
        name: outlet.name().to_owned(),
        shape,
    }
}

fn load(model: &ModelBytes, threads: usize) -> Result<Session> {
    let runtime = Runtime::get()?;
    let bytes = model.read()?;
    build(runtime, &bytes, threads)
        .map_err(|error| diagnose::refusal(model, &bytes, runtime, error))
}

fn build(
    runtime: &Runtime,
    bytes: &[u8],
    threads: usize,
) -> std::result::Result<Session, ort::Error> {
    let mut builder = Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?;
    if runtime.status().kind == RuntimeKind::Native {
        // No spinning: idle cores belong to others.
        builder = builder
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?;
        runtime.accelerate(&mut builder)?;
    }
    builder.commit_from_memory(bytes)
}

fn pick<'a>(
    model: &ModelBytes,
    what: &str,
    wanted: Option<&str>,
    there: &'a [Port],
) -> Result<&'a Port> {
    let chosen = match wanted {
        Some(name) => there.iter().find(|have| have.name == name),
        None => there.first(),
    };
    chosen.ok_or_else(|| {
        let names: Vec<&str> = there.iter().map(|port| port.name.as_str()).collect();
        Error::new(ErrorKind::Config, "model.load")
            .message(format!("the model has no such {what}"))
            .with("model", model.name())
            .with(what.to_owned(), wanted.unwrap_or("(first)"))
            .with("there_are", names.join(", "))
    })
}
