//! Stores for heurpipe: documents, search, warehouse and blobs
