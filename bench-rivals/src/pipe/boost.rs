//! Boost's message_queue, by a small C++ program that is compiled for the run. Bytes go as messages.

use transom_bench::{Case, Shape};

use crate::folder::Folder;
use crate::native;

const SOURCE: &str = include_str!("../../programs/queue.cpp");

/// All shapes but connections, as far as there are a compiler and Boost.
pub fn cases(folder: &Folder) -> Vec<Case> {
    let (word, what) = ("boost", "Boost message_queue");
    let program = native::compile(folder, "g++", ("queue.cpp", SOURCE), "queue", &["-lpthread", "-lrt"]);
    let lasting = Shape::all().into_iter().filter(|shape| *shape != Shape::connect());
    let case = |shape| match &program {
        Err(error) => Case::carried_not(word, what, shape, error.to_string()),
        Ok(program) => Case::carried_by_program(word, what, shape, program, Vec::new()),
    };
    lasting.map(case).collect()
}
