use std::sync::atomic::{AtomicUsize, Ordering};

use heurpipe_stores::suite::service::Service;
use jiff::Timestamp;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held by whoever uses the emulator, alone by who restarts it.
static IN_USE: RwLock<()> = RwLock::const_new(());

/// The emulator and the bucket that it loads from.
pub(crate) struct Server {
    bigquery: String,
    pub(crate) bucket: String,
    bucket_url: String,
    project: String,
    pub(crate) dataset: String,
    _shared: Option<RwLockReadGuard<'static, ()>>,
}

/// The emulator, used by nobody else meanwhile.
pub(crate) struct Alone {
    pub(crate) server: Server,
    service: Service,
    _alone: RwLockWriteGuard<'static, ()>,
}

impl Alone {
    /// Nothing, with a printed reason, where the environment does not name the emulator and what starts it.
    pub(crate) async fn named() -> Option<Self> {
        Some(Self {
            server: Server::in_environment(None)?,
            service: Service::named("bigquery")?,
            _alone: IN_USE.write().await,
        })
    }

    /// Empties it. Of each table and question the emulator keeps some memory, of which it can have 2 GiB.
    pub(crate) fn restart(&self) {
        self.service.restart(&[]).unwrap();
    }
}

impl Server {
    /// Nothing, with a printed reason, where the environment names none.
    pub(crate) async fn named() -> Option<Self> {
        Self::in_environment(Some(IN_USE.read().await))
    }

    fn in_environment(shared: Option<RwLockReadGuard<'static, ()>>) -> Option<Self> {
        let Ok(bigquery) = std::env::var("HEURPIPE_TEST_BQ_URL") else {
            println!(
                "skipped: HEURPIPE_TEST_BQ_URL names no server; see scripts/services/services.sh"
            );
            return None;
        };
        let variable = |name| std::env::var(name).unwrap();
        let server = Self {
            bigquery,
            bucket: variable("HEURPIPE_TEST_BUCKET"),
            bucket_url: variable("HEURPIPE_TEST_GCS_URL"),
            project: variable("HEURPIPE_TEST_BQ_PROJECT"),
            dataset: variable("HEURPIPE_TEST_BQ_DATASET"),
            _shared: shared,
        };
        println!("on goccy/bigquery-emulator at {}", server.bigquery);
        Some(server)
    }

    pub(crate) fn url(&self, dataset: &str, table: &str, bucket: &str) -> String {
        format!(
            "bigquery://{}/{dataset}/{table}?bucket={bucket}/bigquery&endpoint={}&bucket_endpoint={}",
            self.project, self.bigquery, self.bucket_url
        )
    }

    /// A table that nobody used before.
    pub(crate) fn fresh(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let now = Timestamp::now().as_millisecond();
        let table = format!("posts_{}_{now}_{number}", std::process::id());
        self.url(&self.dataset, &table, &self.bucket)
    }
}
