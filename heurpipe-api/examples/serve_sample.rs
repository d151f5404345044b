//! Serves a synthetic corpus from memory, to look at the pages: `cargo run -p heurpipe-api --example serve_sample [ADDRESS]`.

mod corpus;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let listener = heurpipe_api::bind(address.as_deref().unwrap_or("127.0.0.1:8080")).await?;
    let state = corpus::state(1300).await?;
    println!("http://{}", listener.local_addr()?);
    heurpipe_api::serve(listener, state, async {
        // Without a handler for Ctrl-C the process ends on it all the same.
        let _ = tokio::signal::ctrl_c().await;
    })
    .await?;
    Ok(())
}
