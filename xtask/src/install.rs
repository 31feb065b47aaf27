//! `install`: the library, its headers, the command and its pages below a prefix.

use crate::repo::root;
use crate::run::{Arguments, Done, cargo, output, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name the dynamic linker asks for changes only when the C interface breaks.
const SONAME: &str = "libtransom.so.0";

/// Entry point of the chore.
pub fn main(mut arguments: Arguments) -> Done {
    let prefix = arguments.value("--prefix")?.ok_or("install needs --prefix DIR")?;
    let destdir = arguments.value("--destdir")?;
    let profile = arguments.value("--profile")?;
    arguments.end()?;
    let place = Place {
        prefix: absolute(&prefix)?,
        destdir: destdir.map(|dir| absolute(&dir)).transpose()?,
        profile: profile.unwrap_or_else(|| "release".to_owned()),
    };
    install(&place, true)
}

/// What to install where.
pub struct Place {
    /// Where the files think they are.
    pub prefix: PathBuf,
    /// A folder put before the prefix while writing: for packagers.
    pub destdir: Option<PathBuf>,
    /// Cargo's profile.
    pub profile: String,
}

impl Place {
    /// Where a file of the prefix is written.
    pub fn written(&self, below: &str) -> PathBuf {
        let file = self.prefix.join(below);
        match &self.destdir {
            Some(destdir) => {
                let relative = file.strip_prefix("/").unwrap_or(&file);
                destdir.join(relative)
            }
            None => file,
        }
    }
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|why| format!("{path}: {why}"))
}

/// Headers that sources written where case does not matter spell in other ways, too. Copies, not links: on a file
/// system that does not tell the names apart a copy puts the same bytes in place again.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("tchar.h", &["Tchar.h", "TCHAR.H"]),
    ("winbase.h", &["WinBase.h"]),
    ("windef.h", &["WinDef.h"]),
    ("windows.h", &["Windows.h", "WINDOWS.H"]),
    ("windowsx.h", &["WindowsX.h"]),
    ("winerror.h", &["WinError.h"]),
    ("winnt.h", &["WinNT.h"]),
    ("winuser.h", &["WinUser.h"]),
];

/// Builds and installs; `loud` prints every file.
pub fn install(place: &Place, loud: bool) -> Done {
    let built = build(&place.profile)?;
    let version = env!("CARGO_PKG_VERSION");
    let library = format!("libtransom.so.{version}");
    let mut copied = vec![
        (built.join("libtransom_c.so"), format!("lib/{library}")),
        (built.join("libtransom_c.a"), "lib/libtransom.a".to_owned()),
        (built.join("transom"), "bin/transom".to_owned()),
    ];
    let headers = root().join("crates/transom-capi/include/transom");
    for header in names_in(&headers)? {
        copied.push((headers.join(&header), format!("include/transom/{header}")));
    }
    for (name, spellings) in SPELLINGS {
        for spelling in *spellings {
            copied.push((headers.join(name), format!("include/transom/{spelling}")));
        }
    }
    for (from, to) in &copied {
        copy(from, &place.written(to))?;
    }
    let libraries = place.written("lib");
    for (link, to) in [(SONAME, library.as_str()), ("libtransom.so", SONAME)] {
        output(Command::new("ln").args(["-sfn", to, link]).current_dir(&libraries))?;
    }
    let command = place.written("bin/transom");
    let mut written = vec![("lib/pkgconfig/transom.pc".to_owned(), pkg_config(&place.prefix, version))];
    for (arguments, file) in PAGES {
        written.push(((*file).to_owned(), output(Command::new(&command).args(*arguments))?));
    }
    for (file, text) in &written {
        write(&place.written(file), text)?;
    }
    if loud {
        let files = copied.iter().map(|(_, to)| to).chain(written.iter().map(|(file, _)| file));
        for file in files {
            println!("installed {}", place.written(file).display());
        }
        for link in [SONAME, "libtransom.so"] {
            println!("linked    {}", libraries.join(link).display());
        }
    }
    Ok(())
}

/// What the command prints about itself, and where that belongs.
const PAGES: &[(&[&str], &str)] = &[
    (&["man"], "share/man/man1/transom.1"),
    (&["completions", "bash"], "share/bash-completion/completions/transom"),
    (&["completions", "zsh"], "share/zsh/site-functions/_transom"),
    (&["completions", "fish"], "share/fish/vendor_completions.d/transom.fish"),
];

/// Builds library and command; the answer is the folder they lie in.
fn build(profile: &str) -> Result<PathBuf, String> {
    let packages = ["--package", "transom-capi", "--package", "transom-cli"];
    run(cargo().current_dir(root()).args(["build", "--profile", profile]).args(packages))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(crate::repo::target_dir().join(folder))
}

/// The file that tells compilers where everything is.
fn pkg_config(prefix: &Path, version: &str) -> String {
    format!(
        "prefix={}
exec_prefix=${{prefix}}
libdir=${{exec_prefix}}/lib
includedir=${{prefix}}/include

Name: transom
Description: Windows inter-process communication as native calls
Version: {version}
Cflags: -I${{includedir}}/transom
Libs: -L${{libdir}} -ltransom -Wl,-rpath,${{libdir}}
Libs.private: -lgcc_s -lpthread -ldl -lm -lrt
",
        prefix.display()
    )
}

fn names_in(folder: &Path) -> Result<Vec<String>, String> {
    let fail = |why| format!("{}: {why}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn copy(from: &Path, to: &Path) -> Done {
    make_folder_of(to)?;
    // A library in use must not be written into: running programs have it mapped.
    if to.exists() {
        std::fs::remove_file(to).map_err(|why| format!("{}: {why}", to.display()))?;
    }
    std::fs::copy(from, to).map(drop).map_err(|why| format!("{} -> {}: {why}", from.display(), to.display()))
}

fn write(to: &Path, text: &str) -> Done {
    make_folder_of(to)?;
    std::fs::write(to, text).map_err(|why| format!("{}: {why}", to.display()))
}

fn make_folder_of(file: &Path) -> Done {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_file_names_the_prefix_and_links_with_a_run_path() {
        let text = pkg_config(Path::new("/opt/transom"), "1.2.3");
        assert!(text.starts_with("prefix=/opt/transom\n"));
        assert!(text.contains("\nVersion: 1.2.3\n"));
        assert!(text.contains("\nCflags: -I${includedir}/transom\n"));
        assert!(text.contains("-L${libdir} -ltransom -Wl,-rpath,${libdir}\n"));
    }

    #[test]
    fn packagers_write_elsewhere() {
        let mut place = Place { prefix: "/usr".into(), destdir: None, profile: "release".to_owned() };
        assert_eq!(place.written("bin/transom"), Path::new("/usr/bin/transom"));
        place.destdir = Some("/stage".into());
        assert_eq!(place.written("bin/transom"), Path::new("/stage/usr/bin/transom"));
    }
    #[test]
    fn other_spellings_are_those_of_headers_that_exist() {
        let headers = names_in(&root().join("crates/transom-capi/include/transom")).unwrap();
        for (name, spellings) in SPELLINGS {
            assert!(headers.contains(&(*name).to_owned()), "{name}");
            assert!(spellings.iter().all(|other| other != name && other.eq_ignore_ascii_case(name)));
        }
    }
}
