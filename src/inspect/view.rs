//! Memory that a module definition is read from: an image as the loader leaves it, or what a run of
//! the init function left behind.

use super::image::{Image, ReadError};

pub(super) trait View {
    /// Eight bytes, as a number or address.
    fn word(&self, address: u64) -> Result<u64, ReadError>;

    /// Four bytes.
    fn half(&self, address: u64) -> Result<u32, ReadError>;

    /// A zero-terminated text.
    fn text(&self, address: u64) -> Result<String, ReadError>;

    /// Whether the word at `address` is an address rather than a number.
    fn holds_address(&self, address: u64) -> bool;

    /// The name of the imported symbol that a value stands for.
    fn symbol(&self, value: u64) -> Option<String>;
}

impl View for Image<'_> {
    fn word(&self, address: u64) -> Result<u64, ReadError> {
        Image::word(self, address)
    }

    fn half(&self, address: u64) -> Result<u32, ReadError> {
        Image::half(self, address)
    }

    fn text(&self, address: u64) -> Result<String, ReadError> {
        Image::text(self, address).map(str::to_owned)
    }

    fn holds_address(&self, address: u64) -> bool {
        self.is_relocated(address, 8)
    }

    fn symbol(&self, value: u64) -> Option<String> {
        self.import_at(value).map(str::to_owned)
    }
}
