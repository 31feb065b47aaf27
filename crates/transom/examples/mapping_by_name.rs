//! How do two processes share memory by a name?
//!
//! `cargo run --example mapping_by_name`

use transom::mapping::Mapping;
use transom::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return child(&name);
    }
    let name = format!("example-mapping-{}", std::process::id());
    let created = Mapping::create(&name, 4096)?;
    println!("parent: made '{name}', {} bytes, new: {}", created.object.size()?, !created.existed);
    let view = created.object.view()?;
    view.write(0, b"hello from the parent")?;

    let exit = Command::new(std::env::current_exe()?).arg(&name).spawn()?.wait()?;
    println!("parent: the child ended with {exit} and left: {}", text(&view.read_to_vec(0, 64)?));

    drop(created);
    // The view still shows the bytes, but the name went with the last handle.
    let gone = Mapping::open(&name).expect_err("nobody holds it any more");
    println!("parent: opening it again: {gone}");
    Ok(())
}

fn child(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let view = Mapping::open(name)?.view()?;
    println!("child:  found: {}", text(&view.read_to_vec(0, 64)?));
    view.write(0, b"hello from the child!")?;
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}
