//! Mirrors `src/inspect`.
