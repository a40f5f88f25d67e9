//! Where searches are recorded: one in a folder of its own, or several in a collection.

use std::path::{Path, PathBuf};

use linchpin_model::Bounds;
use linchpin_record::{
    COLLECTION_SCHEMA, Collection, CollectionKind, CollectionWriter, Entry, headers,
};
use linchpin_report::html;

use crate::args::CheckArguments;
use crate::human::bounds_text;
use crate::input::{Input, Question};

/// Where the next search is recorded.
pub(crate) enum Place<'a> {
    /// Nowhere.
    Nowhere,
    /// In this folder.
    Alone(&'a Path),
    /// In a collection, in a folder of its own.
    Among(&'a mut Collecting),
}

impl Place<'_> {
    /// The folder of a search within these bounds; `swept` if the bounds are one step of many.
    pub(crate) fn folder(
        &mut self,
        input: &Input,
        question: &Question,
        bounds: &Bounds,
        swept: bool,
    ) -> anyhow::Result<Option<PathBuf>> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Alone(directory) => Ok(Some(directory.to_path_buf())),
            Self::Among(collecting) => collecting.list(input, question, bounds, swept).map(Some),
        }
    }
}

/// A collection being written.
pub(crate) struct Collecting(CollectionWriter);

impl Collecting {
    /// Begins the collection that the arguments ask for, or goes on with it; `None` if nothing is
    /// to be recorded.
    pub(crate) fn open(
        arguments: &CheckArguments,
        kind: CollectionKind,
    ) -> anyhow::Result<Option<Self>> {
        let Some(directory) = &arguments.out else { return Ok(None) };
        if arguments.resume.is_some() {
            return Ok(Some(Self(CollectionWriter::resume(directory)?)));
        }
        let collection = Collection {
            schema: COLLECTION_SCHEMA.to_owned(),
            tool: crate::recording::TOOL.to_owned(),
            kind,
            arguments: arguments.given.arguments(),
            entries: Vec::new(),
            result: None,
            complete: false,
        };
        Ok(Some(Self(CollectionWriter::create(directory, collection)?)))
    }

    fn list(
        &mut self,
        input: &Input,
        question: &Question,
        bounds: &Bounds,
        swept: bool,
    ) -> anyhow::Result<PathBuf> {
        let within = swept.then(|| bounds_text(bounds));
        let collection = self.0.collection();
        let known = collection.entries.iter().find(|entry| {
            entry.title == input.name()
                && entry.scenario == question.scenario
                && entry.within == within
        });
        let entry = known.cloned().unwrap_or_else(|| {
            let stem = |path: &PathBuf| path.with_extension("").display().to_string();
            let mut words: Vec<String> = input.files.iter().map(stem).collect();
            words.extend(question.scenario.clone());
            if swept {
                let Bounds { eot, eff, crashes, .. } = bounds;
                words.push(format!("eot={eot}-eff={eff}-crashes={crashes}"));
            }
            Entry {
                directory: collection.new_name(&words.join("-")),
                title: input.name(),
                scenario: question.scenario.clone(),
                within,
                expected: question.expect,
            }
        });
        Ok(self.0.list(entry)?)
    }

    /// The list of campaigns as a page.
    pub(crate) fn write_index(&self) -> anyhow::Result<PathBuf> {
        let collection = self.0.collection();
        let page = html::index(collection, &headers(self.0.directory(), collection)?);
        Ok(self.0.write_index(page.as_bytes())?)
    }

    /// Nothing is left to do; for a sweep, `result` is the folder of the search that answers it.
    pub(crate) fn complete(&mut self, result: Option<&Path>) -> anyhow::Result<()> {
        let name = result.and_then(|path| path.file_name()).and_then(|name| name.to_str());
        self.0.complete(name)?;
        self.write_index().map(drop)
    }
}
