//! A value that survives restarts: what a credential has used up.

use std::sync::Arc;

use heurpipe_core::{Documents, Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

/// A value kept as a memo of documents; in memory alone where there are none.
pub(crate) struct Kept<T> {
    documents: Option<Arc<dyn Documents>>,
    name: String,
    /// None: not loaded yet.
    value: Mutex<Option<T>>,
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
            value: Mutex::new(None),
        }
    }

    /// Reads or changes the value, one caller at a time. When this returns a change is durable; one that cannot be stored is undone.
    ///
    /// # Errors
    /// When documents cannot be read or written; `InvalidInput` when what they hold under the name is of another form.
    pub(crate) async fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R> {
        let mut value = self.value.lock().await;
        self.change(&mut value, change).await
    }

    /// The same with the value as it is stored now: another holder of the name may have changed it.
    ///
    /// # Errors
    /// As with [`with`](Self::with).
    #[cfg(feature = "instagram")]
    pub(crate) async fn with_latest<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R> {
        let mut value = self.value.lock().await;
        if self.documents.is_some() {
            *value = None;
        }
        self.change(&mut value, change).await
    }

    async fn change<R>(
        &self,
        value: &mut Option<T>,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R> {
        let before = match value.take() {
            Some(known) => known,
            None => self.load().await?,
        };
        let mut after = before.clone();
        let answer = change(&mut after);
        if after != before
            && let Err(error) = self.save(&after).await
        {
            *value = Some(before);
            return Err(error);
        }
        *value = Some(after);
        Ok(answer)
    }

    async fn load(&self) -> Result<T> {
        let Some(documents) = &self.documents else {
            return Ok(T::default());
        };
        match documents.memo(&self.name).await? {
            None => Ok(T::default()),
            Some(text) => serde_json::from_str(&text).map_err(|error| {
                Error::new(ErrorKind::InvalidInput, "kept.load")
                    .message("what is stored under this name is of another form")
                    .with("memo", &self.name)
                    .cause(error)
            }),
        }
    }

    async fn save(&self, value: &T) -> Result<()> {
        let Some(documents) = &self.documents else {
            return Ok(());
        };
        let text = serde_json::to_string(value)
            .map_err(|error| Error::new(ErrorKind::Internal, "kept.save").cause(error))?;
        documents.save_memo(&self.name, &text).await
    }
}
