//! Where a run keeps its logs: removed when all was well.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use tempfile::TempDir;
use tokio::time::Instant;

/// The folder of a run and its journal.
pub(crate) struct Folder {
    folder: TempDir,
    journal: Mutex<File>,
    started: Instant,
}

impl Folder {
    pub(crate) fn create(seed: u64) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("chaos-{seed}-")).tempdir()?;
        let journal = Mutex::new(File::create(folder.path().join("journal.log"))?);
        Ok(Self { folder, journal, started: Instant::now() })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file that a child writes its log to, behind what is there.
    pub(super) fn append(&self, name: &str) -> anyhow::Result<File> {
        let path = self.path().join(name);
        OpenOptions::new().create(true).append(true).open(&path).with_context(|| path.display().to_string())
    }

    /// A folder inside it.
    pub(super) fn room(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Milliseconds since the run began.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Writes a line into the journal.
    pub(crate) fn note(&self, text: &str) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        // A journal that cannot be written must not end the run.
        let _full = writeln!(journal, "{:>9} {} {text}", self.now_ms(), chrono::Utc::now().format("%H:%M:%S%.3f"));
    }

    /// Writes a file, for a look at what went wrong.
    pub(crate) fn write(&self, name: &str, text: &str) {
        if let Err(error) = std::fs::write(self.path().join(name), text) {
            self.note(&format!("cannot write {name}: {error}"));
        }
    }

    /// Keeps the folder, for a look at what went wrong.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.path().to_owned()
    }
}
