//! Holds no code: its manifest names features of dependencies, so that the builds with and without the optional backends share them.
