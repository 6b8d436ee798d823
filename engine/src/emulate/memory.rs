//! The memory of the imagined process: libraries as the loader leaves them, a stack, a heap, and
//! objects that stand for what the interpreter would have made.
//!
//! Pages come into being when they are first touched, and all of them count against one budget.
//! Where libraries and their symbols lie is in [`super::linked`], how pages are kept in
//! [`super::pages`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::linked::{Binding, Linked, Loaded, SYMBOL_STRIDE, SYMBOLS, address_in};
use super::objects::{Object, SIZE};
use super::pages::{Page, Pages, Traces, Unknown, Words};
use crate::image::{Fixup, Format, PAGE_SIZE, ReadError};

/// Objects of the interpreter.
const OBJECTS: u64 = 0x0000_5000_0000_0000;
const OBJECT_STRIDE: u64 = 0x1000;
const HEAP: u64 = 0x0000_6000_0000_0000;
const HEAP_SIZE: u64 = 1 << 30;
const STACK_END: u64 = 0x0000_7ff0_0000_0000;
const STACK_SIZE: u64 = 8 << 20;
/// What the thread pointer points to.
pub(super) const THREAD: u64 = 0x0000_7fe0_0000_0000;
const THREAD_SIZE: u64 = 1 << 20;
/// Where thread-local data of libraries begins, behind the thread's own block.
const THREAD_BLOCKS: u64 = 0x1_0000;
/// The fields of the thread's own block on Windows that point to itself and to the array of all
/// libraries' blocks, and where that array lies.
const THREAD_SELF: u64 = 0x30;
const THREAD_DIRECTORY_POINTER: u64 = 0x58;
const THREAD_DIRECTORY: u64 = 0x8000;
/// The name of the function behind TLS descriptors, which no symbol can have.
pub(super) const DESCRIPTOR: &str = "[tls descriptor]";
/// Pages in all unless told otherwise: 64 MiB.
const MAX_PAGES: usize = 16 << 10;
/// The longest text that is read, in bytes.
const MAX_TEXT: usize = 1 << 16;
/// So many bytes of a long access are as much work as a short one.
pub(super) const BYTES_A_UNIT: usize = 64;

/// Why memory cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Nothing is mapped there.
    #[error("touches unmapped memory at {0:#x}")]
    Unmapped(u64),
    /// The content of a symbol that no library here defines.
    #[error("depends on the content of `{0}`")]
    Symbol(String),
    /// Something is there that only the running system knows.
    #[error("depends on {0}, known only at run time")]
    Unknown(String),
    /// The budget is spent.
    #[error("uses more memory than is given to it")]
    Budget,
}

#[derive(Clone)]
pub(crate) struct Memory<'l, 'p, 'd> {
    pub(super) linked: &'l Linked<'p, 'd>,
    pages: Pages,
    max_pages: usize,
    unknown: Unknown,
    /// Symbols that were met in this run alone.
    symbols: Rc<Vec<String>>,
    by_name: Rc<HashMap<String, u64>>,
    objects: Vec<Object>,
    heap_next: u64,
    /// Where the thread-local data of each library lies.
    thread_blocks: Vec<Option<u64>>,
    /// See [`Memory::blank`]; 0 as long as there is none.
    pub(super) blank: u64,
    /// The feature release of the interpreter: 14 for 3.14.
    pub(super) minor: u8,
    /// What nothing should write to, and whether something did.
    watched: Words,
    touched: bool,
    /// What is read of libraries, where that is kept.
    traces: Option<Box<Traces>>,
    work: u64,
}

impl<'l, 'p, 'd> Memory<'l, 'p, 'd> {
    pub(super) fn new(linked: &'l Linked<'p, 'd>, minor: u8) -> Self {
        let mut memory = Self {
            linked,
            pages: Pages::new(),
            max_pages: MAX_PAGES,
            unknown: Unknown::default(),
            symbols: Rc::default(),
            by_name: Rc::default(),
            objects: Vec::new(),
            heap_next: HEAP,
            thread_blocks: Vec::new(),
            blank: 0,
            minor,
            watched: Words::default(),
            touched: false,
            traces: None,
            work: 0,
        };
        memory.lay_out_thread_blocks();
        memory
    }

    /// Lets the process have so many pages in all.
    pub(super) fn allow(&mut self, pages: usize) {
        self.max_pages = pages;
    }

    /// Gives each library its thread-local data, one behind the other.
    fn lay_out_thread_blocks(&mut self) {
        let end = THREAD + THREAD_SIZE;
        let mut next = THREAD + THREAD_BLOCKS;
        let mut filled = Vec::new();
        for (index, library) in self.linked.libraries.iter().enumerate() {
            let template = library.image.thread_template();
            let block = template.and_then(|template| {
                let align = template.align.clamp(16, PAGE_SIZE as u64).next_power_of_two();
                let start = next.next_multiple_of(align);
                next = start.checked_add(template.size).filter(|next| *next <= end)?;
                filled.push((index, template, start));
                Some(start)
            });
            self.thread_blocks.push(block);
        }
        for (index, template, start) in filled {
            let size = template.initialised.min(template.size);
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            let copied = self
                .read_into(address_in(index, template.address), &mut bytes)
                .and_then(|()| self.write(start, &bytes));
            if copied.is_err() {
                self.thread_blocks[index] = None;
            }
        }
        let is_windows = |library: &Loaded<'_, '_>| library.image.format() == Format::Pe;
        if self.linked.libraries.iter().any(is_windows) {
            // Where it fails, the code that looks there fails too.
            let _ = self.lay_out_thread_directory();
        }
    }

    /// The thread environment block of Windows: it points to itself and to an array of the blocks
    /// of all libraries, each at the number that the loader wrote into the library (`winternl.h`,
    /// and the code that compilers emit).
    fn lay_out_thread_directory(&mut self) -> Result<(), Fault> {
        self.write_word(THREAD + THREAD_SELF, THREAD)?;
        self.write_word(THREAD + THREAD_DIRECTORY_POINTER, THREAD + THREAD_DIRECTORY)?;
        for (index, library) in self.linked.libraries.iter().enumerate() {
            let Some(template) = library.image.thread_template() else { continue };
            let place = THREAD + THREAD_DIRECTORY + index as u64 * 8;
            match self.thread_block(index) {
                Some(block) => self.write_word(place, block)?,
                None => {
                    self.unknown.insert(place, "thread-local data");
                }
            }
            if let Some(number) = template.index {
                let number = address_in(index, number);
                // There are few libraries.
                self.write(number, &u32::try_from(index).unwrap_or(0).to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// The library that lies at an address, and the place in it.
    pub(super) fn in_image(&self, address: u64) -> Option<(usize, u64)> {
        self.linked.place_of(address)
    }

    /// Where the thread-local data of a library lies, by the library's place in the process.
    pub(super) fn thread_block(&self, index: usize) -> Option<u64> {
        self.thread_blocks.get(index).copied().flatten()
    }

    /// The address that stands for an imported symbol.
    pub(super) fn symbol(&mut self, name: &str) -> u64 {
        if let Some(address) =
            self.linked.address_of(name).or_else(|| self.by_name.get(name).copied())
        {
            return address;
        }
        let index = self.linked.symbol_count() + self.symbols.len();
        let address = SYMBOLS + index as u64 * SYMBOL_STRIDE;
        Rc::make_mut(&mut self.symbols).push(name.to_owned());
        Rc::make_mut(&mut self.by_name).insert(name.to_owned(), address);
        address
    }

    fn symbol_count(&self) -> u64 {
        (self.linked.symbol_count() + self.symbols.len()) as u64
    }

    /// The symbol that begins at `address`.
    pub(crate) fn symbol_at(&self, address: u64) -> Option<Cow<'l, str>> {
        let offset = address.checked_sub(SYMBOLS)?;
        if !offset.is_multiple_of(SYMBOL_STRIDE) {
            return None;
        }
        let index = usize::try_from(offset / SYMBOL_STRIDE).ok()?;
        match index.checked_sub(self.linked.symbol_count()) {
            Some(own) => self.symbols.get(own).cloned().map(Cow::Owned),
            None => self.linked.symbol(index).map(Cow::Borrowed),
        }
    }

    /// A new object.
    pub(super) fn object(&mut self, kind: Object) -> u64 {
        let address = OBJECTS + self.objects.len() as u64 * OBJECT_STRIDE;
        self.objects.push(kind);
        address
    }

    /// What object begins at `address`.
    pub(super) fn object_at(&self, address: u64) -> Option<&Object> {
        let offset = address.checked_sub(OBJECTS)?;
        if !offset.is_multiple_of(OBJECT_STRIDE) {
            return None;
        }
        self.objects.get(usize::try_from(offset / OBJECT_STRIDE).ok()?)
    }

    /// What a list, tuple or dictionary that the hook made holds is no longer known.
    pub(super) fn forget_items(&mut self, address: u64) {
        let (size, name) = match self.object_at(address) {
            Some(Object::List) => (3, "PyList_Type"),
            Some(Object::Tuple) => (1, "PyTuple_Type"),
            Some(Object::Dict | Object::ModuleDict(_)) => (0, "PyDict_Type"),
            _ => return,
        };
        for index in 0..size {
            self.unknown.insert(address + SIZE + index * 8, "what a list or tuple holds");
        }
        let index = usize::try_from((address - OBJECTS) / OBJECT_STRIDE).ok();
        if let Some(object) = index.and_then(|index| self.objects.get_mut(index)) {
            *object = Object::Changed(name);
        }
    }

    /// What lies on a page from a place on is not known, but for the words at some of them.
    pub(super) fn make_opaque(&mut self, number: u64, from: usize, known: &[usize]) {
        self.unknown.make_opaque(number, from, known);
    }

    /// Whether a value is the address of something.
    pub(crate) fn is_mapped(&self, value: u64) -> bool {
        self.in_image(value).is_some()
            || within(value, SYMBOLS, self.symbol_count() * SYMBOL_STRIDE)
            || within(value, OBJECTS, self.objects.len() as u64 * OBJECT_STRIDE)
            || within(value, HEAP, self.heap_next - HEAP)
            || within(value, STACK_END - STACK_SIZE, STACK_SIZE)
    }

    /// Zeroed memory of the heap.
    pub(super) fn allocate(&mut self, size: u64) -> Result<u64, Fault> {
        let address = self.heap_next;
        let end = address
            .checked_add(size.max(1))
            .and_then(|end| end.checked_next_multiple_of(16))
            .filter(|end| *end <= HEAP + HEAP_SIZE)
            .ok_or(Fault::Budget)?;
        self.heap_next = end;
        Ok(address)
    }

    /// Zeroed memory of the heap that begins at a page.
    pub(super) fn allocate_aligned(&mut self, size: u64) -> Result<u64, Fault> {
        self.heap_next = self.heap_next.next_multiple_of(PAGE_SIZE as u64);
        self.allocate(size)
    }

    /// Where the stack begins, growing downwards.
    pub(super) fn stack_top() -> u64 {
        STACK_END - 0x1000
    }

    /// Whether the loader changes any of `size` bytes of a library.
    pub(crate) fn is_relocated(&self, address: u64, size: u64) -> bool {
        self.in_image(address).is_some_and(|(index, place)| {
            self.linked.libraries[index].image.is_relocated(place, size)
        })
    }

    /// Machine code from `address` to the end of its page, at most.
    pub(super) fn code(&self, address: u64) -> Result<&'d [u8], Fault> {
        let (index, place) = self.in_image(address).ok_or(Fault::Unmapped(address))?;
        self.linked.libraries[index].image.code(place).map_err(|_| Fault::Unmapped(address))
    }

    pub(crate) fn read<const SIZE: usize>(&mut self, address: u64) -> Result<[u8; SIZE], Fault> {
        let mut bytes = [0; SIZE];
        self.read_into(address, &mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn word(&mut self, address: u64) -> Result<u64, Fault> {
        self.read(address).map(u64::from_le_bytes)
    }

    pub(super) fn read_into(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        let size = bytes.len();
        if self.traces.is_some() && self.in_image(address).is_some() {
            self.traces.iter_mut().for_each(|traces| traces.read(address, size));
        }
        self.each_part(address, size, |pages, number, offset, range| {
            let page = pages.get(number)?;
            bytes[range.clone()].copy_from_slice(&page[offset..offset + range.len()]);
            Some(())
        })?;
        // Only known once the pages are here.
        if within(address, OBJECTS, HEAP - OBJECTS) && self.unknown.is_opaque(address, size) {
            return Err(Fault::Unknown("the content of an object".to_owned()));
        }
        match self.unknown.within(address, size).next() {
            Some((_, what)) => Err(Fault::Unknown((*what).to_owned())),
            None => Ok(()),
        }
    }

    /// Has writes to these words noted.
    pub(super) fn watch(&mut self, words: Words) {
        self.watched = words;
    }

    /// Has it kept, or no longer kept, what is read of libraries as the loader left them.
    pub(super) fn trace(&mut self, on: bool) {
        self.traces = on.then(Box::default);
    }

    /// What was read of libraries, where that was kept.
    pub(super) fn take_read(&mut self) -> Words {
        self.traces.take().map(|traces| traces.read).unwrap_or_default()
    }

    /// Whether anything wrote to what is watched.
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    pub(super) fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.touched |= self.watched.touches(address, bytes.len());
        if self.traces.is_some() && self.in_image(address).is_some() {
            self.traces.iter_mut().for_each(|traces| traces.write(address, bytes.len()));
        }
        self.each_part(address, bytes.len(), |pages, number, offset, range| {
            let page = pages.get_mut(number)?;
            page[offset..offset + range.len()].copy_from_slice(&bytes[range]);
            Some(())
        })?;
        self.unknown.replace(address, bytes.len());
        if within(address, OBJECTS, HEAP - OBJECTS) {
            self.unknown.reveal(address, bytes.len());
        }
        Ok(())
    }

    pub(super) fn write_word(&mut self, address: u64, value: u64) -> Result<(), Fault> {
        self.write(address, &value.to_le_bytes())
    }

    /// The zero-terminated bytes at `address`, at most 64 KiB of them.
    pub(crate) fn text(&mut self, address: u64) -> Result<Vec<u8>, Fault> {
        let before = self.work;
        let (size, ending) = self.distance_to_zero(address);
        let mut text = vec![0; size];
        self.read_into(address, &mut text)?;
        // As much work as reading byte by byte.
        self.work = before.saturating_add(size as u64);
        ending?;
        text.pop();
        Ok(text)
    }

    /// How many bytes come up to the first zero from `address` on, that included, or up to where
    /// there is none or it goes no further.
    fn distance_to_zero(&mut self, address: u64) -> (usize, Result<(), Fault>) {
        let mut size = 0;
        while size < MAX_TEXT {
            let Some(at) = address.checked_add(size as u64) else {
                return (size, Err(Fault::Unmapped(address)));
            };
            let number = at / PAGE_SIZE as u64;
            if self.pages.get(number).is_none()
                && let Err(fault) = self.bring_in(number)
            {
                return (size, Err(fault));
            }
            let offset = usize::try_from(at % PAGE_SIZE as u64).unwrap_or(0);
            let rest = self.pages.get(number).and_then(|page| page.get(offset..));
            let rest = rest.unwrap_or_default();
            let rest = rest.get(..MAX_TEXT - size).unwrap_or(rest);
            match rest.iter().position(|byte| *byte == 0) {
                Some(place) => return (size + place + 1, Ok(())),
                None => size += rest.len(),
            }
        }
        (size, Err(Fault::Unknown("a text without an end".to_owned())))
    }

    /// How much was read and written so far, in accesses and in bytes of long ones.
    pub(super) fn work(&self) -> u64 {
        self.work
    }

    /// Whether everything is the same in another, but for how much work was done.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.heap_next == other.heap_next
            && self.blank == other.blank
            && self.touched == other.touched
            && self.thread_blocks == other.thread_blocks
            && self.objects == other.objects
            && self.symbols == other.symbols
            && self.unknown.is_like(&other.unknown)
            && self.pages.is_like(&other.pages)
    }

    /// How much there is to copy where the whole process is.
    pub(super) fn extent(&self) -> usize {
        self.pages.len() + self.objects.len() + self.symbols.len()
    }

    /// Has work counted that is done on what was read before, in bytes.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.work = self.work.saturating_add((bytes / BYTES_A_UNIT) as u64);
    }

    /// Calls `with` for each page that a stretch lies on, with the page's number, the place in it,
    /// and which bytes of the stretch lie there.
    fn each_part(
        &mut self,
        address: u64,
        size: usize,
        mut with: impl FnMut(&mut Pages, u64, usize, std::ops::Range<usize>) -> Option<()>,
    ) -> Result<(), Fault> {
        self.work = self.work.saturating_add(1);
        self.charge(size);
        let mut done = 0;
        while done < size {
            let at = address.checked_add(done as u64).ok_or(Fault::Unmapped(address))?;
            let number = at / PAGE_SIZE as u64;
            // Less than a page, so that it always fits.
            let offset = usize::try_from(at % PAGE_SIZE as u64).unwrap_or(0);
            let count = (PAGE_SIZE - offset).min(size - done);
            let part = done..done + count;
            if with(&mut self.pages, number, offset, part.clone()).is_none() {
                self.bring_in(number)?;
                with(&mut self.pages, number, offset, part).ok_or(Fault::Unmapped(at))?;
            }
            done += count;
        }
        Ok(())
    }

    /// Makes a page as it is before the first instruction runs.
    fn bring_in(&mut self, number: u64) -> Result<(), Fault> {
        if self.pages.len() >= self.max_pages {
            return Err(Fault::Budget);
        }
        let address = number * PAGE_SIZE as u64;
        let mut page = Rc::new([0; PAGE_SIZE]);
        let content = Rc::make_mut(&mut page);
        if let Some((index, place)) = self.in_image(address) {
            self.image_page(index, place, address, content)
                .map_err(|_| Fault::Unmapped(address))?;
        } else if within(address, SYMBOLS, self.symbol_count() * SYMBOL_STRIDE) {
            let offset = (address - SYMBOLS) % SYMBOL_STRIDE;
            let name = self.symbol_at(address - offset).unwrap_or_default();
            self.symbol_page(&name, address - offset, offset, content)?;
        } else if within(address, OBJECTS, self.objects.len() as u64 * OBJECT_STRIDE) {
            let object = self.object_at(address).cloned();
            self.object_page(number, object.as_ref(), content);
        } else if !within(address, HEAP, self.heap_next - HEAP)
            && !within(address, STACK_END - STACK_SIZE, STACK_SIZE)
            && !within(address, THREAD - THREAD_SIZE, 2 * THREAD_SIZE)
        {
            return Err(Fault::Unmapped(address));
        }
        self.pages.insert(number, page);
        Ok(())
    }

    /// A page of a library, with what the loader writes into it.
    fn image_page(
        &mut self,
        index: usize,
        place: u64,
        address: u64,
        page: &mut Page,
    ) -> Result<(), ReadError> {
        let linked = self.linked;
        let block = self.thread_block(index);
        let descriptor = self.symbol(DESCRIPTOR);
        let unknown = &mut self.unknown;
        let uncovered = linked.libraries[index].image.page(place, page, |offset, fixup| {
            let what = match fixup {
                Fixup::Address(place) => return Some(address_in(index, place)),
                Fixup::Number(value) => return Some(value),
                Fixup::ThreadModule => return Some(index as u64 + 1),
                Fixup::ThreadDescriptor => return Some(descriptor),
                Fixup::ThreadOffset(offset) => match block {
                    Some(block) => return Some(block.wrapping_add(offset).wrapping_sub(THREAD)),
                    None => "thread-local data",
                },
                Fixup::Import { index: import, addend } => {
                    match linked.binding(index, import) {
                        // Null stays null.
                        Some(Binding::To(0)) => return Some(0),
                        Some(Binding::To(to)) => return Some(to.wrapping_add_signed(addend)),
                        _ => "a symbol that may be missing",
                    }
                }
                Fixup::Unknown(what) => what,
            };
            unknown.insert(address.wrapping_add(offset), what);
            None
        })?;
        for part in uncovered {
            // A segment may end within a word, and an aligned word begin behind that.
            let first = part.start.next_multiple_of(8);
            for at in std::iter::once(part.start).chain((first..part.end).step_by(8)) {
                let distance = at.wrapping_sub(place);
                self.unknown.insert(address.wrapping_add(distance), "what lies behind a segment");
            }
        }
        Ok(())
    }
}

fn within(address: u64, start: u64, size: u64) -> bool {
    address.wrapping_sub(start) < size
}
