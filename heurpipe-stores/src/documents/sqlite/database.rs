//! Connections to one database file: one that writes, a few that read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use super::failure::Failure;
use super::migration;
use super::schema::{self, Found};
use crate::lock::WriterLock;
use crate::os::io_error;
use crate::{Mode, task};

/// How many calls read at a time.
const READERS: usize = 4;

/// How long a call waits for another process that holds the database for a moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database and its connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Database {
    inner: Arc<Inner>,
    /// One permit per connection, so that calls wait as tasks and not on threads.
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
}

/// The lock comes last: it is let go of when the connections are closed.
#[derive(Debug)]
struct Inner {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    writer: Option<Mutex<Connection>>,
    _lock: Option<WriterLock>,
}

/// Whether a commit waits for the disk.
///
/// In WAL mode anything less than FULL may lose the latest commits with the power. The executor settles receipts and moves checkpoints on the word of a
/// commit, so a commit must have reached the disk; what may be forgotten need not.
#[derive(Debug, Clone, Copy)]
enum Durability {
    Full,
    Lazy,
}

impl Durability {
    /// The value of SQLite's setting of this name.
    fn synchronous(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lazy => "normal",
        }
    }
}

impl Database {
    /// Opens a database for writing; makes it and its folder when they are not there. Blocks.
    pub(super) fn open(path: &Path) -> Result<Self> {
        const OPERATION: &str = "sqlite.open";
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| io_error(OPERATION, folder, e))?;
        }
        let lock = lock(path, OPERATION)?;
        let writer = open_writer(path).map_err(|f| f.into_error(OPERATION, path))?;
        Ok(Self::new(path, Some(writer), Some(lock)))
    }

    /// Opens a database for reading. Blocks.
    pub(super) fn open_read_only(path: &Path) -> Result<Self> {
        const OPERATION: &str = "sqlite.open";
        std::fs::metadata(path).map_err(|e| io_error(OPERATION, path, e))?;
        let first = open_reader(path).map_err(|f| f.into_error(OPERATION, path))?;
        let database = Self::new(path, None, None);
        database.inner.put_back(first);
        Ok(database)
    }

    /// Opens a database for reading, and keeps others from writing to it. Blocks.
    pub(super) fn open_undisturbed(path: &Path) -> Result<Self> {
        const OPERATION: &str = "sqlite.open";
        std::fs::metadata(path).map_err(|e| io_error(OPERATION, path, e))?;
        let lock = lock(path, OPERATION)?;
        let first = open_reader(path).map_err(|f| f.into_error(OPERATION, path))?;
        let database = Self::new(path, None, Some(lock));
        database.inner.put_back(first);
        Ok(database)
    }

    fn new(path: &Path, writer: Option<Connection>, lock: Option<WriterLock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                idle: Mutex::default(),
                writer: writer.map(Mutex::new),
                _lock: lock,
            }),
            reading: Arc::new(Semaphore::new(READERS)),
            writing: Arc::new(Semaphore::new(1)),
        }
    }

    /// Runs `work` on a reading connection, on a blocking thread. It sees one state of the database throughout.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        self.in_turn(&self.reading, operation, |inner| inner.read(work))
            .await
    }

    /// Runs `work` in one transaction on the writing connection, on a blocking thread. An error undoes all of it. What was written is on the disk
    /// when this returns.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        self.write_with(operation, Durability::Full, work).await
    }

    /// As [`write`](Self::write), but does not wait for the disk: a power failure may undo it, until something is written that does wait.
    pub(super) async fn write_lazily<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        self.write_with(operation, Durability::Lazy, work).await
    }

    /// Empties the write-ahead log, which holds pages as they were before the last changes. A process that reads just then prevents it: then
    /// the log is emptied later, at the latest when the last process closes the database.
    pub(super) async fn empty_log(&self, operation: &'static str) -> Result<()> {
        self.in_turn(&self.writing, operation, Inner::empty_log)
            .await
    }

    async fn write_with<T: Send + 'static>(
        &self,
        operation: &'static str,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        self.in_turn(&self.writing, operation, move |inner| {
            inner.write(operation, durability, work)
        })
        .await
    }

    /// Runs `work` on a blocking thread when its turn has come. It waits in a task of its own: a caller who is not polled for a while would keep the turn
    /// that he is given meanwhile, and with it everybody else waiting.
    async fn in_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        operation: &'static str,
        work: impl FnOnce(&Inner) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let (turns, inner) = (Arc::clone(turns), Arc::clone(&self.inner));
        task::of_its_own(operation, async move {
            let turn = turns.acquire_owned().await;
            let turn =
                turn.map_err(|error| Error::new(ErrorKind::Internal, operation).cause(error))?;
            task::blocking(operation, move || {
                let _turn = turn;
                work(&inner).map_err(|failure| failure.into_error(operation, &inner.path))
            })
            .await
        })
        .await
    }
}

impl Inner {
    fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let idle = self.lock_idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let transaction = connection.transaction()?;
        let result = work(&transaction);
        transaction.finish()?;
        self.put_back(connection);
        result
    }

    fn write<T>(
        &self,
        operation: &'static str,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(writer) = &self.writer else {
            return Err(Mode::refuse(operation).into());
        };
        // A panic has rolled its transaction back: the connection is as good as before.
        let mut connection = writer.lock().unwrap_or_else(PoisonError::into_inner);
        connection.pragma_update(None, "synchronous", durability.synchronous())?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn empty_log(&self) -> Result<(), Failure> {
        let Some(writer) = &self.writer else {
            return Ok(());
        };
        let connection = writer.lock().unwrap_or_else(PoisonError::into_inner);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
        Ok(())
    }

    fn put_back(&self, connection: Connection) {
        self.lock_idle().push(connection);
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write to a database, which one process has at a time.
fn lock(path: &Path, operation: &'static str) -> Result<WriterLock> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    WriterLock::take(Path::new(&lock_path), operation)
}

fn open_writer(path: &Path) -> Result<Connection, Failure> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    let found = schema::look(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    // What is deleted or replaced is overwritten: else erased posts would stay readable in freed pages.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    match found {
        Found::Nothing => schema::create(&mut connection)?,
        Found::Earlier(version) => migration::bring_up(&mut connection, version)?,
        Found::Ready => {}
    }
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    match schema::look(&connection)? {
        Found::Ready => Ok(connection),
        Found::Earlier(version) => Err(schema::not_up_to_date(version).into()),
        Found::Nothing => Err(Error::new(ErrorKind::NotFound, "sqlite.open")
            .message("the database is empty")
            .into()),
    }
}
