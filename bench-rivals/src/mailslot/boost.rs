//! Boost's message_queue, by a small C++ program that is compiled for the run.

use transom_bench::{Case, FanShape};

use crate::folder::Folder;
use crate::native;

const SOURCE: &str = include_str!("../../programs/many.cpp");

/// Many writers to one reader, as far as there are a compiler and Boost.
pub fn cases(folder: &Folder) -> Vec<Case> {
    let (word, what) = ("boost", "Boost message_queue");
    let program = native::compile(folder, "g++", ("many.cpp", SOURCE), "many", &["-lpthread", "-lrt"]);
    let case = |shape| match &program {
        Err(error) => Case::fanned_not(word, what, shape, error.to_string()),
        Ok(program) => Case::fanned_by_program(word, what, shape, program, Vec::new()),
    };
    FanShape::all_to_one().into_iter().map(case).collect()
}
