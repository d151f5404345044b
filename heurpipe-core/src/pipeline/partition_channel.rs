//! The channel from a partition's pages to its committer.

use tokio::sync::mpsc::UnboundedSender;

use super::receipt::{self, Progress, Tell};

/// One item's share of its page's receipt, as it travels through the executor.
pub(crate) type Share = receipt::Share<UnboundedSender<Progress>>;

impl Tell for UnboundedSender<Progress> {
    fn tell(&self, progress: Progress) {
        // The committer is gone when the run was stopped: then nothing is to be committed.
        let _ = self.send(progress);
    }
}
