//! A peer that takes its turns in a process of its own: it needs another language, other crates or a runtime of its own.
//!
//! It prints its name on a line; then, for each line that it reads, it does what the line asks for and prints on a line what that took, a [`Sample`] as JSON. It
//! ends when there is nothing more to read.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{AnyResult, Sample};

/// The process and the ways to it.
pub struct Peer {
    process: Child,
    /// Closed to end the process.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    name: String,
}

impl Peer {
    /// Starts the process and waits until it has said its name.
    ///
    /// # Errors
    /// When it cannot be started, or ends before it says its name.
    pub fn launch(command: &mut Command) -> AnyResult<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = process.stdin.take();
        let answers = process.stdout.take().ok_or("the peer has no output")?;
        let mut peer = Self {
            process,
            requests,
            answers: BufReader::new(answers),
            name: String::new(),
        };
        peer.name = peer.answer()?.trim().to_owned();
        Ok(peer)
    }

    /// What rows call this peer: name, version, settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Has the peer do what the line asks for, timed by the peer itself.
    ///
    /// # Errors
    /// When the peer fails.
    pub fn turn(&mut self, request: &str) -> AnyResult<Sample> {
        let requests = self.requests.as_mut().ok_or("the peer was told to end")?;
        writeln!(requests, "{request}")?;
        Ok(serde_json::from_str(&self.answer()?)?)
    }

    fn answer(&mut self) -> AnyResult<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the peer ended before it answered".into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.requests.take());
        // It ends by itself now; nothing is left to be done where it does not.
        let _ = self.process.wait();
    }
}

/// The peer's side: says the name and answers each line by what `turn` measures, until there are no more.
///
/// # Errors
/// The first of `turn`, and those of standard input and output.
pub fn take_turns(name: &str, mut turn: impl FnMut(&str) -> AnyResult<Sample>) -> AnyResult<()> {
    let mut answers = io::stdout().lock();
    writeln!(answers, "{name}")?;
    answers.flush()?;
    for request in io::stdin().lines() {
        let sample = turn(request?.trim())?;
        writeln!(answers, "{}", serde_json::to_string(&sample)?)?;
        answers.flush()?;
    }
    Ok(())
}
