//! The files of a source distribution, shown one by one to whoever asks for some of them.
//!
//! What the files mean is not known here.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::fetch::client::{Client, FetchError};
use crate::fetch::streamed;
use crate::fetch::tarball::{self, SdistError};
use crate::fetch::wheel::RemoteWheel;
use crate::model::distribution::DistributionFile;
use crate::model::limits::{Limit, Limits};

/// What all files that are asked for may come to.
const MAX_READ: u64 = 512 << 20;

/// Takes files as they come.
pub trait Visitor: Send + 'static {
    /// How many bytes of the file at `path` are wanted; `None` for none.
    fn wants(&self, path: &str) -> Option<u64>;
    /// Takes the first bytes of one, and whether that is all of it.
    fn take(&mut self, path: &str, bytes: &[u8], is_whole: bool);
}

/// What came of reading a source distribution.
#[derive(Debug)]
pub enum Outcome<V> {
    /// Every file was shown that is asked for.
    Read(V),
    /// It is not of a kind that is read; the text says why.
    NotRead(String),
}

/// Shows the files of `file` to a visitor, made anew for each attempt. A tar is read whole, so that
/// it has the digest stated for it; of a zip only parts may be.
///
/// # Errors
/// Where it cannot be fetched, or is damaged.
pub async fn read<V: Visitor>(
    client: &Arc<Client>,
    file: &DistributionFile,
    visitor: impl Fn() -> V + Clone + Send + 'static,
) -> Result<Outcome<V>, FetchError> {
    let filename = file.kind.filename();
    let limits = *client.limits();
    let most = limits.source_size;
    if let Some(size) = file.size.filter(|size| *size > most) {
        return Ok(Outcome::NotRead(too_large(Some(size), most)));
    }
    if filename.ends_with(".zip") {
        return of_zip(client, file, visitor()).await;
    }
    if !(filename.ends_with(".tar.gz") || filename.ends_with(".tgz")) {
        let ending = filename.rsplit('.').next().unwrap_or_default();
        return Ok(Outcome::NotRead(format!("archives of the kind .{ending} are not read")));
    }
    let read = streamed::read(client, file, most, move |reader| {
        let mut visitor = visitor();
        within(&limits, &mut *reader, &mut visitor)?;
        // What lies behind the archive is part of what the digest is of.
        let end = std::io::copy(reader, &mut std::io::sink());
        end.map_err(|problem| tarball::damage(&problem))?;
        Ok(visitor)
    });
    Ok(read.await?.map_or_else(|| Outcome::NotRead(too_large(None, most)), Outcome::Read))
}

fn too_large(size: Option<u64>, most: u64) -> String {
    let limit = Limit("source-size");
    match size {
        Some(size) => format!("it is of {size} bytes, and at most {most} are fetched ({limit})"),
        None => {
            format!("it is of more than {most} bytes, which is the most that is fetched ({limit})")
        }
    }
}

/// Shows the files of a `.tar.gz` to `visitor`.
///
/// # Errors
/// Where it is no such archive, or larger than anything that is read.
pub fn of_tar_gz(reader: impl Read, visitor: &mut impl Visitor) -> Result<(), SdistError> {
    within(&Limits::default(), reader, visitor)
}

fn within(
    limits: &Limits,
    reader: impl Read,
    visitor: &mut impl Visitor,
) -> Result<(), SdistError> {
    let mut left = MAX_READ;
    tarball::walk(limits, reader, |member| {
        if let Some(limit) = visitor.wants(&member.path) {
            let (path, size) = (member.path.clone(), member.size);
            let bytes = member.read_head(limit.min(size))?;
            left = left.checked_sub(bytes.len() as u64).ok_or_else(|| {
                SdistError::new(format!("its sources come to more than {MAX_READ} bytes"))
            })?;
            if (bytes.len() as u64) < limit.min(size) {
                return Err(SdistError::new(format!("it ends within `{path}`")));
            }
            visitor.take(&path, &bytes, size <= limit);
        }
        Ok(ControlFlow::Continue(()))
    })
}

async fn of_zip<V: Visitor>(
    client: &Arc<Client>,
    file: &DistributionFile,
    mut visitor: V,
) -> Result<Outcome<V>, FetchError> {
    let mut remote = RemoteWheel::open(Arc::clone(client), file.clone()).await?;
    let most = client.limits().source_size;
    if remote.size() > most {
        return Ok(Outcome::NotRead(too_large(Some(remote.size()), most)));
    }
    let mut wanted = Vec::new();
    let mut left = MAX_READ;
    for (member, path) in remote.names().iter().enumerate() {
        let Some(limit) = visitor.wants(path) else { continue };
        let size = remote.expanded_size(member);
        if size > limit {
            // A part of a member is not expanded by itself.
            visitor.take(path, &[], false);
            continue;
        }
        left = left.checked_sub(size).ok_or_else(|| {
            remote.invalid(&format!("its sources come to more than {MAX_READ} bytes"))
        })?;
        wanted.push(member);
    }
    remote.fetch(&wanted).await?;
    let read = streamed::blocking(&file.url, move || {
        for member in wanted {
            let path = remote.names().get(member).cloned().unwrap_or_default();
            visitor.take(&path, &remote.read(member)?, true);
        }
        Ok(visitor)
    });
    Ok(Outcome::Read(read.await?))
}
