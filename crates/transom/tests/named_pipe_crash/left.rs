//! What a killed process may have left behind.

use std::path::{Path, PathBuf};

use transom::namespace;

/// Descriptors of this process, and its mappings of memory of ours.
pub fn possessions() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("the descriptors").count();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the mappings");
    (descriptors, maps.lines().filter(|line| line.contains("/memfd:transom")).count())
}

/// Files of the namespace whose names contain `part`.
pub fn files(part: &str) -> Vec<String> {
    while namespace::sweep().expect("a sweep") > 0 {}
    let roots = match std::env::var_os("TRANSOM_DIR") {
        Some(dir) => ["local", "global"].map(|root| Path::new(&dir).join(root)).to_vec(),
        None => entries("/dev/shm".as_ref())
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("transom")))
            .collect(),
    };
    let folders = roots.iter().flat_map(|root| entries(root));
    let files = folders.flat_map(|folder| entries(&folder)).map(|path| path.to_string_lossy().into_owned());
    files.filter(|path| path.contains(part)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
