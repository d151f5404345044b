//! Standard output whose reader may go, as `head` goes when it has enough. That is no failure: the program ends without a word.

use std::io::{ErrorKind, Stdout, Write};

/// Ends the program where `println!` finds its reader gone: it panics there.
pub fn end_where_nobody_reads() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let why = panic.payload_as_str().unwrap_or_default();
        if why.starts_with("failed printing to stdout") && why.contains("Broken pipe") {
            end();
        }
        tell(panic);
    }));
}

/// Standard output for what is written to it by calls that give errors.
pub struct Piped(Stdout);

impl Piped {
    pub fn stdout() -> Self {
        Self(std::io::stdout())
    }
}

impl Write for Piped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        unless_gone(self.0.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        unless_gone(self.0.flush())
    }
}

fn unless_gone<T>(written: std::io::Result<T>) -> std::io::Result<T> {
    if matches!(&written, Err(error) if error.kind() == ErrorKind::BrokenPipe) {
        end();
    }
    written
}

fn end() -> ! {
    std::process::exit(0)
}
