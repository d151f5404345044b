//! What receipts are synchronised with: the standard library's primitives. The model checks put others of the same names in their place.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
