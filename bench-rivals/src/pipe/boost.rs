//! Boost's message_queue, by a small C++ program that is compiled for the run. Bytes go as messages.

use transom_bench::{Case, Shape};

use crate::folder::Folder;
use crate::native;

const SOURCE: &str = include_str!("../../programs/queue.cpp");

/// All shapes but connections, as far as there are a compiler and Boost.
pub fn cases(folder: &Folder) -> Vec<Case> {
    let program = native::program(folder, "queue", SOURCE);
    let lasting = Shape::all().into_iter().filter(|shape| *shape != Shape::connect());
    let case =
        |shape| Case::carried_by_program("boost", "Boost message_queue", shape, program.clone(), Vec::new());
    lasting.map(case).collect()
}
