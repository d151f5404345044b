//! What goes wrong on purpose.

mod call;
mod injector;
mod layer;
mod script;

pub use injector::FaultControl;
pub(super) use injector::Injector;
pub(super) use layer::play;
pub use script::{Fault, FaultRule, FaultTrigger, Faults};
