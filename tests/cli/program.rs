//! Runs the real program in a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A folder with files, for one test.
pub(crate) struct Folder(PathBuf);

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) complaint: String,
}

impl Folder {
    pub(crate) fn of(name: &str, files: &[(&str, &str)]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (file, text) in files {
            fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let Output { status, stdout, stderr } =
            Command::new(env!("CARGO_BIN_EXE_vestibule")).args(arguments).current_dir(&self.0).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: status.code().unwrap(), output: text(stdout), complaint: text(stderr) }
    }
}

/// The repository itself.
pub(crate) fn repository() -> Folder {
    Folder(PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}
