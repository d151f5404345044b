//! A value that survives restarts: what a credential has used up.

use std::sync::Arc;

use heurpipe_core::{Documents, Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

/// A value kept as a memo of documents; in memory alone where there are none.
///
/// Documents are asked each time: of a credential that two sources use, each sees what the other has used up.
pub(crate) struct Kept<T> {
    documents: Option<Arc<dyn Documents>>,
    name: String,
    /// The value where there are no documents.
    value: Mutex<T>,
}

impl<T> std::fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("name", &self.name)
            .field("survives", &self.documents.is_some())
            .finish_non_exhaustive()
    }
}

impl<T: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send> Kept<T> {
    /// The value of this name.
    pub(crate) fn new(documents: Option<Arc<dyn Documents>>, name: impl Into<String>) -> Self {
        Self {
            documents,
            name: name.into(),
            value: Mutex::default(),
        }
    }

    /// Reads or changes the value, one caller at a time. When this returns a change is durable; one that cannot be stored is as if it had not been made.
    ///
    /// # Errors
    /// When documents cannot be read or written; `InvalidInput` when what they hold under the name is of another form.
    pub(crate) async fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R> {
        let mut value = self.value.lock().await;
        let Some(documents) = &self.documents else {
            return Ok(change(&mut value));
        };
        let before: T = self.load(documents.as_ref()).await?;
        let mut after = before.clone();
        let answer = change(&mut after);
        if after != before {
            self.save(documents.as_ref(), &after).await?;
        }
        Ok(answer)
    }

    async fn load(&self, documents: &dyn Documents) -> Result<T> {
        let Some(text) = documents.memo(&self.name).await? else {
            return Ok(T::default());
        };
        serde_json::from_str(&text).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "kept.load")
                .message("what is stored under this name is of another form")
                .with("memo", &self.name)
                .cause(error)
        })
    }

    async fn save(&self, documents: &dyn Documents, value: &T) -> Result<()> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::new(ErrorKind::Internal, "kept.save").cause(error))?;
        documents.save_memo(&self.name, &text).await
    }
}
