//! Serving the API and its pages.

use clap::Args;
use heurpipe_api::{AppState, bind};

use super::{Done, Exit, Stop};
use crate::config::Loaded;
use crate::workbench::Workbench;

/// Arguments of `heurpipe serve` and `heurpipe-api`.
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
        serve(&bench, &listen).await?;
        Ok(Exit::Done)
    }
}

/// Serves the bench's stores at this address until Ctrl-C.
///
/// # Errors
/// When the address cannot be bound, or is not loopback.
pub async fn serve(bench: &Workbench, listen: &str) -> Result<(), Stop> {
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
    heurpipe_api::serve(listener, state.build(), ended).await?;
    Ok(())
}
