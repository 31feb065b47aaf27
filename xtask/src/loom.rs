//! `loom`: the model checks of the core, in which every interleaving is tried.

use crate::repo::{root, target_dir};
use crate::run::{Arguments, Done, cargo, run};

/// How many times a thread may be interrupted in one execution.
const PREEMPTIONS: &str = "3";

/// Entry point of the chore.
pub fn main(arguments: Arguments) -> Done {
    arguments.end()?;
    let folder = root().join("crates/transom-core/tests");
    let models = models(std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        Some(name.to_string_lossy().into_owned())
    }));
    if models.is_empty() {
        println!("loom: transom-core has no model checks yet, nothing to run");
        return Ok(());
    }
    let mut command = cargo();
    command.current_dir(root());
    command.env("RUSTFLAGS", "--cfg loom");
    command.env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
    command.env("CARGO_TARGET_DIR", target_dir().join("loom"));
    command.args(["test", "--package", "transom-core", "--release"]);
    for model in &models {
        command.args(["--test", model]);
    }
    run(&mut command)
}

/// The test programs among a folder's files that are model checks.
fn models(files: impl Iterator<Item = String>) -> Vec<String> {
    let name = |file: String| Some(file.strip_suffix(".rs")?.to_owned());
    let mut models: Vec<String> = files.filter_map(name).collect();
    models.retain(|name| name.starts_with("loom_"));
    models.sort();
    models
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_checks_are_told_by_their_name() {
        let files = ["loom_b.rs", "other.rs", "loom_a.rs", "loom_c.txt"];
        let found = models(files.iter().map(|f| (*f).to_owned()));
        assert_eq!(found, ["loom_a", "loom_b"]);
    }
}
