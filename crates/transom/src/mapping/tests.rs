//! What both systems show about sections and views, one file for each topic.

mod access;
mod copy_on_write;
mod create;
mod file;
mod guarded;
mod names;
mod own_process;
mod random;
mod shared;
mod view;
