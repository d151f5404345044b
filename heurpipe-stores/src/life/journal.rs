//! Erasures that are under way, so that one that was interrupted knows what it had found.

use std::collections::BTreeMap;

use heurpipe_core::{Documents, Erased, Error, ErrorKind, Result, Subject};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::traces::Found;

/// Under which name documents keep it. It is emptied when the erasure is done.
const MEMO: &str = "erasures";

/// An erasure under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) began_at: Timestamp,
    pub(super) found: Found,
    pub(super) erased: Erased,
}

impl Work {
    /// What was begun about the subject, else a new one.
    pub(super) async fn resume(documents: &dyn Documents, subject: &Subject) -> Result<Self> {
        let begun = read(documents).await?.remove(&subject.to_string());
        Ok(begun.unwrap_or_else(|| Self {
            began_at: Timestamp::now(),
            found: Found::default(),
            erased: Erased::default(),
        }))
    }

    /// Remembers it. Durable when it returns.
    pub(super) async fn save(&self, documents: &dyn Documents, subject: &Subject) -> Result<()> {
        let mut all = read(documents).await?;
        all.insert(subject.to_string(), self.clone());
        write(documents, &all).await
    }

    /// Forgets it: it is done.
    pub(super) async fn done(documents: &dyn Documents, subject: &Subject) -> Result<()> {
        let mut all = read(documents).await?;
        if all.remove(&subject.to_string()).is_some() {
            write(documents, &all).await?;
        }
        Ok(())
    }
}

async fn read(documents: &dyn Documents) -> Result<BTreeMap<String, Work>> {
    let Some(memo) = documents.memo(MEMO).await? else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_str(&memo).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "forget.resume")
            .message("what is remembered of erasures under way cannot be read")
            .cause(error)
    })
}

async fn write(documents: &dyn Documents, all: &BTreeMap<String, Work>) -> Result<()> {
    let memo = serde_json::to_string(all)
        .map_err(|error| Error::new(ErrorKind::Internal, "forget.save").cause(error))?;
    documents.save_memo(MEMO, &memo).await
}
