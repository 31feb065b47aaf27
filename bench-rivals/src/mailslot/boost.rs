//! Boost's message_queue, by a small C++ program that is compiled for the run.

use transom_bench::{Case, FanShape};

use crate::folder::Folder;
use crate::native;

const SOURCE: &str = include_str!("../../programs/many.cpp");

/// Many writers to one reader, as far as there are a compiler and Boost.
pub fn cases(folder: &Folder) -> Vec<Case> {
    let program = native::program(folder, "many", SOURCE);
    let case =
        |shape| Case::fanned_by_program("boost", "Boost message_queue", shape, program.clone(), Vec::new());
    FanShape::all_to_one().into_iter().map(case).collect()
}
