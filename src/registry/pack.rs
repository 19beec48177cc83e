//! The embedded data: which types there are, and the schemas, unpacked one block at a time.
//!
//! `pack.py` writes it, and says what the files are; `data/SOURCES.md` says where it comes from.

use ruzstd::decoding::{BlockDecodingStrategy, Dictionary, FrameDecoder};
use serde_json::Value;
use std::ops::Range;
use std::sync::LazyLock;

const INDEX: &[u8] = include_bytes!("data/index.zst");
const DICTIONARY: &[u8] = include_bytes!("data/dictionary.zst");
const SCHEMAS: &[u8] = include_bytes!("data/schemas.zst");

/// What is known of every type without its schema.
pub(super) struct Index {
    /// The regions, in the order of the bits of [`Entry::absent`].
    pub(super) regions: Vec<&'static str>,
    /// The names, sorted.
    pub(super) names: Vec<&'static str>,
    entries: Vec<Entry>,
    /// Where each block stands in `SCHEMAS`.
    blocks: Vec<Range<usize>>,
}

/// What is known of one type without its schema.
pub(super) struct Entry {
    block: usize,
    /// Where its schema stands in the unpacked block.
    place: Range<usize>,
    pub(super) is_in_cloud_control: bool,
    /// A bit for each region that does not offer it.
    pub(super) absent: u64,
    pub(super) arn: Option<&'static str>,
}

/// The index, read at first use.
pub(super) fn index() -> &'static Index {
    static ALL: LazyLock<Index> =
        LazyLock::new(|| read_index().expect("the index is part of the program and tested"));
    &ALL
}

impl Index {
    /// The place of a name in the index.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.binary_search(&name).ok()
    }

    /// What the index has at a place.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(self.place(name)?)
    }

    /// The schema of the type at a place of the index.
    pub(super) fn unpack(&self, place: usize) -> Option<Value> {
        let entry = self.entries.get(place)?;
        let packed = SCHEMAS.get(self.blocks.get(entry.block)?.clone())?;
        let block = unpack(packed, Some(dictionary()))?;
        serde_json::from_slice(block.get(entry.place.clone())?).ok()
    }
}

fn dictionary() -> &'static [u8] {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        unpack(DICTIONARY, None).expect("the dictionary is part of the program and tested")
    });
    &BYTES
}

/// The content of one zstd frame; none where the frame is not sound.
fn unpack(mut packed: &[u8], dictionary: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut decoder = FrameDecoder::new();
    if let Some(dictionary) = dictionary {
        let dictionary = Dictionary::decode_dict(dictionary).ok()?;
        decoder.add_dict(dictionary).ok()?;
    }
    decoder.init(&mut packed).ok()?;
    let all = BlockDecodingStrategy::All;
    decoder.decode_blocks(&mut packed, all).ok()?;
    decoder.collect()
}

fn read_index() -> Option<Index> {
    let text = String::from_utf8(unpack(INDEX, None)?).ok()?;
    let mut lines = text.leak().lines();
    let regions = lines.next()?.split(' ').collect();
    let mut end = 0;
    let sizes = lines.next()?.split(' ');
    let blocks = sizes
        .map(|size| next(&mut end, size))
        .collect::<Option<_>>()?;
    let mut index = Index {
        regions,
        names: Vec::new(),
        entries: Vec::new(),
        blocks,
    };
    let (mut current, mut end) = (0, 0);
    for line in lines {
        let [name, block, size, support, absent, arn] =
            *line.split('\t').collect::<Vec<_>>().as_slice()
        else {
            return None;
        };
        let block = block.parse().ok()?;
        if block != current {
            (current, end) = (block, 0);
        }
        index.names.push(name);
        index.entries.push(Entry {
            block,
            place: next(&mut end, size)?,
            is_in_cloud_control: support == "c",
            absent: match absent {
                "" => 0,
                bits => u64::from_str_radix(bits, 16).ok()?,
            },
            arn: (!arn.is_empty()).then_some(arn),
        });
    }
    Some(index)
}

/// The range of that size that begins at `end`, which moves to its end.
fn next(end: &mut usize, size: &str) -> Option<Range<usize>> {
    let start = *end;
    *end += size.parse::<usize>().ok()?;
    Some(start..*end)
}
