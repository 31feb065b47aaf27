//! `shared_memory`: POSIX shared memory under a name, as the most used crate for it does it.

use shared_memory::ShmemConf;
use transom_bench::{Error, Result, each, serve};

const SIZE: usize = 64 * 1024;

fn name(what: &str) -> String {
    format!("bench-rivals-{what}-{}", std::process::id())
}

/// Create, map, unmap, close, unlink.
pub fn create(_: &[String]) -> Result<()> {
    let name = name("create");
    serve(&mut |count| {
        each(count, || {
            let conf = ShmemConf::new().size(SIZE).os_id(&name);
            conf.create().map(drop).map_err(Error::of("create with shared_memory"))
        })
    })
}

/// Open what exists, map, unmap, close.
pub fn open(_: &[String]) -> Result<()> {
    let name = name("open");
    let _held =
        ShmemConf::new().size(SIZE).os_id(&name).create().map_err(Error::of("create with shared_memory"))?;
    serve(&mut |count| {
        each(count, || {
            ShmemConf::new().os_id(&name).open().map(drop).map_err(Error::of("open with shared_memory"))
        })
    })
}
