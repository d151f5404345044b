//! The servers that tests run against, stopped and started by the script that has them.

use std::ffi::OsString;
use std::process::Command;

use super::Check;

/// What names the script in the environment of tests.
const SCRIPT: &str = "HEURPIPE_TEST_SERVICES";

/// A server by its name in the script.
#[derive(Debug, Clone)]
pub struct Service {
    script: OsString,
    name: &'static str,
}

impl Service {
    /// The server of this name; none, with a printed reason, where `HEURPIPE_TEST_SERVICES` names no script.
    pub fn named(name: &'static str) -> Option<Self> {
        let Some(script) = std::env::var_os(SCRIPT) else {
            println!("skipped: {SCRIPT} names no script; see scripts/services/services.sh");
            return None;
        };
        Some(Self { script, name })
    }

    /// Runs one of the script's commands (`start`, `stop`, `crash`) on the server, with these variables beside those that are there. Returns when it is done.
    ///
    /// # Errors
    /// When the script cannot be run, or says that it failed.
    pub fn run(&self, command: &str, variables: &[(&str, &str)]) -> Check {
        let status = Command::new(&self.script)
            .args([command, self.name])
            .envs(variables.iter().copied())
            .status()?;
        if !status.success() {
            return Err(format!("{command} {}: {status}", self.name).into());
        }
        Ok(())
    }

    /// Stops the server and starts it with these variables beside those that are there.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn restart(&self, variables: &[(&str, &str)]) -> Check {
        self.run("stop", &[])?;
        self.run("start", variables)
    }
}
