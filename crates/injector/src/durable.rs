//! What of a data directory would survive a loss of power.
//!
//! A shadow holds, for every file, its content as of the last sync of it, and the names as of the
//! last sync of their directory. The rules are those Linux file systems keep in practice:
//!
//! - fsync or fdatasync of a file makes its content durable, and its name (with the directories
//!   above it) if it never had a durable one;
//! - fsync of a directory makes the names in it durable: created, renamed, removed. A file with a
//!   durable name that was never synced is empty;
//! - sync and syncfs make everything durable; msync(2) the mapped file; a write through a descriptor
//!   opened with O_SYNC or O_DSYNC counts as synced. sync_file_range makes nothing durable.
//!
//! Everything else is lost: power loss puts the shadow in the place of the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file, whatever it is called: inode numbers are used again, so its birth counts too.
type FileId = (u64, u64);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    File(FileId),
    Link(PathBuf),
    Folder,
}

/// The durable part of one directory.
#[derive(Debug)]
pub(crate) struct Shadow {
    root: PathBuf,
    /// Where copies are kept.
    store: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
    contents: BTreeMap<FileId, PathBuf>,
    copies: u64,
}

impl Shadow {
    /// Everything in `root` is durable. `store` is an empty directory for copies.
    pub(crate) fn new(root: &Path, store: &Path) -> io::Result<Shadow> {
        let root = root.canonicalize()?;
        fs::create_dir_all(store)?;
        let mut shadow = Shadow {
            root,
            store: store.to_owned(),
            entries: BTreeMap::new(),
            contents: BTreeMap::new(),
            copies: 0,
        };
        shadow.sync_all()?;
        Ok(shadow)
    }

    fn relative(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(Path::to_owned)
    }

    /// A file or directory was synced.
    pub(crate) fn sync(&mut self, path: &Path) -> io::Result<()> {
        let Some(relative) = self.relative(path) else { return Ok(()) };
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            // It was removed, and its name is durable or not as it was.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if metadata.is_dir() {
            return self.sync_names(&relative);
        }
        let id = identity(&metadata);
        self.keep(path, id)?;
        if !self.entries.values().any(|entry| *entry == Entry::File(id)) {
            for folder in relative.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
                self.entries.entry(folder.to_owned()).or_insert(Entry::Folder);
            }
            self.entries.insert(relative, Entry::File(id));
        }
        Ok(())
    }

    /// Everything was synced.
    pub(crate) fn sync_all(&mut self) -> io::Result<()> {
        let mut open = vec![PathBuf::new()];
        while let Some(folder) = open.pop() {
            self.sync_names(&folder)?;
            for entry in fs::read_dir(self.root.join(&folder))? {
                let entry = entry?;
                let metadata = entry.path().symlink_metadata()?;
                if metadata.is_dir() {
                    open.push(folder.join(entry.file_name()));
                } else if metadata.is_file() {
                    self.keep(&entry.path(), identity(&metadata))?;
                }
            }
        }
        Ok(())
    }

    /// The names in a directory are durable as they are now.
    fn sync_names(&mut self, folder: &Path) -> io::Result<()> {
        let mut present = BTreeSet::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            let metadata = entry.path().symlink_metadata()?;
            let found = if metadata.is_dir() {
                Entry::Folder
            } else if metadata.is_symlink() {
                Entry::Link(fs::read_link(entry.path())?)
            } else if metadata.is_file() {
                Entry::File(identity(&metadata))
            } else {
                continue; // sockets and FIFOs hold nothing
            };
            present.insert(name.clone());
            self.entries.insert(name, found);
        }
        let gone: Vec<PathBuf> = self
            .entries
            .keys()
            .filter(|name| name.parent() == Some(folder) && !present.contains(*name))
            .cloned()
            .collect();
        for name in gone {
            self.entries.retain(|known, _| !known.starts_with(&name));
        }
        Ok(())
    }

    /// Keeps the content of a file as it is now.
    fn keep(&mut self, path: &Path, id: FileId) -> io::Result<()> {
        let copies = &mut self.copies;
        let store = &self.store;
        let copy = self.contents.entry(id).or_insert_with(|| {
            *copies += 1;
            store.join(copies.to_string())
        });
        fs::copy(path, copy).map(|_| ())
    }

    /// Power is lost: the directory becomes what was durable.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        // Folders come before what is in them.
        let entries = std::mem::take(&mut self.entries);
        let mut made: BTreeMap<FileId, PathBuf> = BTreeMap::new();
        for (name, entry) in &entries {
            let path = self.root.join(name);
            match entry {
                Entry::Folder => fs::create_dir_all(&path)?,
                Entry::Link(target) => std::os::unix::fs::symlink(target, &path)?,
                Entry::File(id) => {
                    if let Some(parent) = path.parent() {
                        fs::create_dir_all(parent)?;
                    }
                    match (made.get(id), self.contents.get(id)) {
                        (Some(first), _) => fs::hard_link(first, &path)?,
                        (None, Some(copy)) => {
                            fs::copy(copy, &path)?;
                        }
                        (None, None) => {
                            fs::File::create(&path)?;
                        }
                    }
                    made.entry(*id).or_insert(path);
                }
            }
        }
        // The files are new ones: what they hold now is durable.
        for copy in std::mem::take(&mut self.contents).into_values() {
            fs::remove_file(copy)?;
        }
        self.sync_all()
    }
}

fn identity(metadata: &Metadata) -> FileId {
    let birth = metadata.created().ok().and_then(|time| {
        time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_nanos() as u64)
    });
    (metadata.ino(), birth.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder {
        root: PathBuf,
        shadow: Shadow,
        _place: tempfile::TempDir,
    }

    /// A directory with a durable file `old`.
    fn folder() -> Folder {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("data");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("old"), "old").unwrap();
        let shadow = Shadow::new(&root, &place.path().join("store")).unwrap();
        Folder { root: root.canonicalize().unwrap(), shadow, _place: place }
    }

    fn read(folder: &Folder, name: &str) -> Option<String> {
        fs::read_to_string(folder.root.join(name)).ok()
    }

    #[test]
    fn what_was_not_synced_is_lost_and_nothing_else() {
        let mut folder = folder();
        let path = |name: &str| folder.root.join(name);
        fs::write(path("old"), "changed").unwrap();
        fs::write(path("synced"), "before").unwrap();
        folder.shadow.sync(&path("synced")).unwrap();
        fs::write(path("synced"), "before and after").unwrap();
        fs::create_dir(path("deep")).unwrap();
        fs::write(path("deep/file"), "deep").unwrap();
        folder.shadow.sync(&path("deep/file")).unwrap();
        fs::write(path("new"), "never synced").unwrap();
        folder.shadow.restore().unwrap();
        assert_eq!(read(&folder, "old").as_deref(), Some("old"));
        assert_eq!(read(&folder, "synced").as_deref(), Some("before"));
        assert_eq!(read(&folder, "deep/file").as_deref(), Some("deep"));
        assert_eq!(read(&folder, "new"), None);
        // Again, after the loss: the files are others now.
        fs::write(folder.root.join("synced"), "x").unwrap();
        folder.shadow.restore().unwrap();
        assert_eq!(read(&folder, "synced").as_deref(), Some("before"));
    }

    #[test]
    fn names_are_durable_with_their_directory() {
        let mut folder = folder();
        let path = |name: &str| folder.root.join(name);
        // The usual way to replace a file: without a sync of the directory, the old one may be back.
        fs::write(path("next"), "new").unwrap();
        folder.shadow.sync(&path("next")).unwrap();
        fs::rename(path("next"), path("old")).unwrap();
        fs::write(path("empty"), "content that was not synced").unwrap();
        let before = (read(&folder, "old"), read(&folder, "next"));
        assert_eq!(before, (Some("new".into()), None));
        folder.shadow.restore().unwrap();
        assert_eq!(read(&folder, "old").as_deref(), Some("old"));
        assert_eq!(read(&folder, "next").as_deref(), Some("new"));
        assert_eq!(read(&folder, "empty"), None);

        let path = |name: &str| folder.root.join(name);
        fs::rename(path("next"), path("old")).unwrap();
        fs::write(path("empty"), "content that was not synced").unwrap();
        folder.shadow.sync(&folder.root.clone()).unwrap();
        fs::remove_file(folder.root.join("empty")).unwrap();
        folder.shadow.restore().unwrap();
        assert_eq!(read(&folder, "old").as_deref(), Some("new"));
        assert_eq!(read(&folder, "next"), None);
        assert_eq!(read(&folder, "empty").as_deref(), Some(""));
    }

    #[test]
    fn a_removed_file_does_not_lend_its_number_to_another() {
        let mut folder = folder();
        let path = |name: &str| folder.root.join(name);
        fs::remove_file(path("old")).unwrap();
        for number in 0..50 {
            fs::write(path("other"), format!("other {number}")).unwrap();
            folder.shadow.sync(&path("other")).unwrap();
            fs::remove_file(path("other")).unwrap();
        }
        folder.shadow.restore().unwrap();
        assert_eq!(read(&folder, "old").as_deref(), Some("old"));
    }
}
