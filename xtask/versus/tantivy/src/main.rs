//! BM25 by tantivy, with its own constants (k1 = 1.2, b = 0.75), over the very words that the other side sees.
//!
//! `tantivy-peer --make FOLDER SETTINGS` reads `documents.tsv` and `queries.tsv` (an id, a tab, words with a blank between
//! them, already apart and in lower case) and writes `bm25.tsv` and `bm25_stemmed.tsv`: the places of a query and of a
//! document, and the score, for each pair with a word in common. The second has all words through tantivy's English stemmer.
//!
//! `tantivy-peer FOLDER SETTINGS` answers each line on its input with the seconds that all queries take, for their best ten.

use std::fs::{self, File};
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, WhitespaceTokenizer};
use tantivy::{Index, Searcher, TantivyDocument, Term, doc};

/// Texts that can be asked.
struct Texts {
    searcher: Searcher,
    analyzer: TextAnalyzer,
    text: Field,
    n: usize,
}

impl Texts {
    fn new(texts: &[String], stemmed: bool) -> Result<Self> {
        let words = TextAnalyzer::builder(WhitespaceTokenizer::default());
        let analyzer = if stemmed {
            words.filter(Stemmer::new(Language::English)).build()
        } else {
            words.build()
        };
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("given")
            .set_index_option(IndexRecordOption::WithFreqs);
        let text = schema.add_text_field("text", TextOptions::default().set_indexing_options(indexing));
        let place = schema.add_u64_field("place", FAST);
        let index = Index::create_in_ram(schema.build());
        index.tokenizers().register("given", analyzer.clone());
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, 100_000_000)?;
        for (number, one) in (0_u64..).zip(texts) {
            writer.add_document(doc!(text => one.as_str(), place => number))?;
        }
        writer.commit()?;
        Ok(Self {
            searcher: index.reader()?.searcher(),
            analyzer,
            text,
            n: texts.len(),
        })
    }

    /// Any of the words; one that the query repeats counts as often.
    fn question(&mut self, words: &str) -> BooleanQuery {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![];
        let mut stream = self.analyzer.token_stream(words);
        while stream.advance() {
            let term = Term::from_field_text(self.text, &stream.token().text);
            clauses.push((
                Occur::Should,
                Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)),
            ));
        }
        BooleanQuery::new(clauses)
    }

    /// The best `k`, as places among the texts.
    fn best(&mut self, words: &str, k: usize) -> Result<Vec<(u64, f32)>> {
        let question = self.question(words);
        let found = self
            .searcher
            .search(&question, &TopDocs::with_limit(k).order_by_score())?;
        found
            .into_iter()
            .map(|(score, at)| {
                let segment = self.searcher.segment_reader(at.segment_ord);
                let places = segment.fast_fields().u64("place")?;
                let place = places.first(at.doc_id).context("every text has a place")?;
                Ok((place, score))
            })
            .collect()
    }
}

fn read(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let words = |line: &str| line.split_once('\t').map_or("", |(_, words)| words).to_owned();
    Ok(text.lines().map(words).collect())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let makes = arguments.first().is_some_and(|first| first == "--make");
    let folder = arguments.get(usize::from(makes)).context("a folder")?;
    let folder = Path::new(folder);
    let documents = read(&folder.join("documents.tsv"))?;
    let queries = read(&folder.join("queries.tsv"))?;
    if makes {
        for (name, stemmed) in [("bm25.tsv", false), ("bm25_stemmed.tsv", true)] {
            let mut texts = Texts::new(&documents, stemmed)?;
            let mut out = BufWriter::new(File::create(folder.join(name))?);
            for (query, words) in queries.iter().enumerate() {
                for (document, score) in texts.best(words, texts.n.max(1))? {
                    writeln!(out, "{query}\t{document}\t{score}")?;
                }
            }
            out.flush()?;
        }
        return Ok(());
    }
    let mut texts = Texts::new(&documents, false)?;
    for _ in std::io::stdin().lock().lines() {
        let begun = Instant::now();
        let mut found = 0;
        for words in &queries {
            found += texts.best(words, 10)?.len();
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!("{}", json!({ "seconds": seconds, "quality": { "found": found } }));
    }
    Ok(())
}
