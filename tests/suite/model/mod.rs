//! Mirrors `src/model`.
