//! Where the rivals of this run put their files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use transom_bench::{Error, Result};

/// A folder of this run, removed when its last copy is dropped.
#[derive(Clone)]
pub struct Folder(Arc<Removed>);

struct Removed(PathBuf);

impl Folder {
    /// A new folder below the one for temporary files.
    pub fn make() -> Result<Folder> {
        let path = std::env::temp_dir().join(format!("bench-rivals-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(Error::of("create a folder"))?;
        Ok(Folder(Arc::new(Removed(path))))
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.0.join(name)
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        crate::wine::end(&self.0);
        // What stays behind in the folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
