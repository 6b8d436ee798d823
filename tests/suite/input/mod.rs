//! Mirrors `src/input`.
