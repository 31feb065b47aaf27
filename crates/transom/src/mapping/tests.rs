//! What both systems show about sections and views, one file for each topic.

mod access;
mod copy_on_write;
mod create;
mod fault;
mod file;
mod guarded;
mod names;
mod random;
mod shared;
mod view;
