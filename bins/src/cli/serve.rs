//! Serving the API and its pages.

use clap::Args;
use heurpipe_api::{AppState, bind};
use heurpipe_core::{Error, ErrorKind};
use tokio::task::JoinHandle;

use super::{Done, Exit, Stop};
use crate::config::Loaded;
use crate::workbench::Workbench;

/// Arguments of `heurpipe-api`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port; loopback only, as long as there are no keys.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Serve {
    /// Serves until Ctrl-C.
    pub async fn run(self, loaded: &Loaded) -> Done {
        let listen = self
            .listen
            .unwrap_or_else(|| loaded.config.api.listen.clone());
        let bench = Workbench::open_to_read(loaded).await?;
        Server::start(&bench, &listen).await?.ended().await?;
        Ok(Exit::Done)
    }
}

/// The API and its pages, being served beside whatever else goes on.
pub(super) struct Server {
    task: JoinHandle<heurpipe_core::Result<()>>,
}

impl Server {
    /// Begins to serve the bench's stores at this address, until Ctrl-C.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub(super) async fn start(bench: &Workbench, listen: &str) -> Result<Self, Stop> {
        let state = AppState::builder(
            bench.documents.clone(),
            bench.search.clone(),
            bench.blobs.clone(),
        );
        let listener = bind(listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Stop::io("the listener has no address", error))?;
        eprintln!("serving http://{address}/ (Ctrl-C ends)");
        let ended = async {
            // Where the signal cannot be listened to, the server runs until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let task = tokio::spawn(heurpipe_api::serve(listener, state.build(), ended));
        Ok(Self { task })
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When the address is not loopback, or connections cannot be accepted any more.
    pub(super) async fn ended(self) -> Result<(), Stop> {
        let ended = self.task.await.map_err(|error| {
            Error::new(ErrorKind::Internal, "api.serve")
                .message("the server panicked")
                .cause(error)
        })?;
        Ok(ended?)
    }
}
