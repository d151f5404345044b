//! A network in trouble, for tests of what a store makes of it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::corpus::Dice;

/// What goes wrong between a client and a server, by the dice of a seed.
#[derive(Debug, Clone)]
pub struct Trouble {
    seed: u64,
    cut_after: Option<Range<u64>>,
    silent_for: Range<Duration>,
    late: Option<(u64, Range<Duration>)>,
}

impl Trouble {
    /// None.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            cut_after: None,
            silent_for: Duration::ZERO..Duration::ZERO,
            late: None,
        }
    }

    /// Each connection ends wherever it is when so many bytes have passed in both directions.
    pub fn cut_after(mut self, bytes: Range<u64>) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Before a connection ends, nothing passes for so long: the client hears neither an answer nor that there will be none.
    pub fn silent_for(mut self, time: Range<Duration>) -> Self {
        self.silent_for = time;
        self
    }

    /// One in `n` pieces of an answer comes so much later.
    pub fn late(mut self, n: u64, by: Range<Duration>) -> Self {
        self.late = Some((n, by));
        self
    }
}

/// A port on loopback behind which a server answers, with trouble on the way.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    cuts: AtomicUsize,
    late: AtomicUsize,
}

impl Proxy {
    /// Begins to serve `server` (`HOST:PORT`), until it is dropped.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn before(server: impl Into<String>, trouble: Trouble) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let counts = Arc::new(Counts::default());
        let (server, counted) = (server.into(), Arc::clone(&counts));
        let accepting = tokio::spawn(async move {
            let mut dice = Dice::new(trouble.seed);
            while let Ok((client, _)) = listener.accept().await {
                let passage = Passage::new(&trouble, &mut dice, Arc::clone(&counted));
                tokio::spawn(passage.serve(client, server.clone()));
            }
        });
        Ok(Self {
            port,
            counts,
            accepting,
        })
    }

    /// Where it is, as `HOST:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many connections were ended.
    pub fn cuts(&self) -> usize {
        self.counts.cuts.load(Ordering::Relaxed)
    }

    /// How many pieces of answers came late.
    pub fn late(&self) -> usize {
        self.counts.late.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection.
struct Passage {
    dice: Dice,
    allowance: u64,
    silence: Duration,
    late: Option<(u64, Range<Duration>)>,
    counts: Arc<Counts>,
}

impl Passage {
    fn new(trouble: &Trouble, dice: &mut Dice, counts: Arc<Counts>) -> Self {
        let mut dice = Dice::new(dice.roll());
        let allowance = match &trouble.cut_after {
            Some(bytes) => bytes.start + dice.below(bytes.end.saturating_sub(bytes.start).max(1)),
            None => u64::MAX,
        };
        Self {
            allowance,
            silence: within(&mut dice, &trouble.silent_for),
            late: trouble.late.clone(),
            dice,
            counts,
        }
    }

    async fn serve(mut self, client: TcpStream, server: String) {
        if let Ok(server) = TcpStream::connect(server).await
            && let Ok(true) = self.pass(client, server).await
        {
            self.counts.cuts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the connection was cut, and did not end by itself.
    async fn pass(
        &mut self,
        mut client: TcpStream,
        mut server: TcpStream,
    ) -> std::io::Result<bool> {
        let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        loop {
            let (count, is_answer) = tokio::select! {
                read = client.read(&mut asked) => (read?, false),
                read = server.read(&mut answered) => (read?, true),
            };
            if count == 0 {
                return Ok(false);
            }
            let passing = self.allowance.min(count as u64) as usize;
            if is_answer {
                self.wait().await;
                client.write_all(&answered[..passing]).await?;
            } else {
                server.write_all(&asked[..passing]).await?;
            }
            self.allowance -= passing as u64;
            if self.allowance == 0 {
                tokio::time::sleep(self.silence).await;
                return Ok(true);
            }
        }
    }

    async fn wait(&mut self) {
        let Some((n, by)) = &self.late else {
            return;
        };
        if self.dice.once_in(*n) {
            self.counts.late.fetch_add(1, Ordering::Relaxed);
            let by = within(&mut self.dice, by);
            tokio::time::sleep(by).await;
        }
    }
}

fn within(dice: &mut Dice, times: &Range<Duration>) -> Duration {
    let span = times.end.saturating_sub(times.start).as_millis() as u64;
    times.start + Duration::from_millis(dice.below(span.max(1)))
}
