//! The HTTP API and pages of heurpipe
