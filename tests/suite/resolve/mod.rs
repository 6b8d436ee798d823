//! Mirrors `src/resolve`.
